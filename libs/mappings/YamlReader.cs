using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace ThermalStreaming.Mappings;

/// <summary>
/// Reads YAML, and therefore JSON, with the line of every part. Uses only the events of YamlDotNet's parser: its serialization needs
/// reflection.
/// </summary>
static class YamlReader
{
    const int MaxDepth = 32;

    /// <returns>The document; an empty node if there is none.</returns>
    /// <exception cref="MappingSyntaxException">The text is not YAML, has more than one document, or has a duplicate key.</exception>
    public static YamlNode Read(string text)
    {
        try
        {
            var parser = new Parser(new StringReader(text));
            parser.Consume<StreamStart>();
            if (parser.Accept<StreamEnd>(out _))
                return new YamlNode(1);
            parser.Consume<DocumentStart>();
            var node = ReadNode(parser, 0);
            parser.Consume<DocumentEnd>();
            return parser.Accept<StreamEnd>(out var end)
                ? node
                : throw new MappingSyntaxException(
                    (int)(parser.Current ?? end)!.Start.Line,
                    "a second document begins; a file must hold only one"
                );
        }
        catch (YamlException e)
        {
            throw new MappingSyntaxException((int)e.Start.Line, $"this is not YAML: {Reason(e)}");
        }
    }

    static YamlNode ReadNode(Parser parser, int depth)
    {
        var line = (int)parser.Current!.Start.Line;
        if (depth > MaxDepth)
            throw new MappingSyntaxException(line, $"more than {MaxDepth} levels");
        if (parser.TryConsume<Scalar>(out var scalar))
        {
            var isNothing = scalar is { Style: ScalarStyle.Plain, Value: "" or "~" or "null" };
            return new YamlNode(line) { Text = isNothing ? null : scalar.Value };
        }
        if (parser.TryConsume<SequenceStart>(out _))
        {
            var items = new List<YamlNode>();
            while (!parser.TryConsume<SequenceEnd>(out _))
                items.Add(ReadNode(parser, depth + 1));
            return new YamlNode(line) { Items = items };
        }
        if (parser.TryConsume<MappingStart>(out _))
        {
            var entries = new List<(string Key, int Line, YamlNode Value)>();
            while (!parser.TryConsume<MappingEnd>(out _))
            {
                var keyLine = (int)parser.Current!.Start.Line;
                if (!parser.TryConsume<Scalar>(out var key))
                    throw new MappingSyntaxException(keyLine, "a key must be a text");
                if (entries.Exists(entry => entry.Key == key.Value))
                    throw new MappingSyntaxException(keyLine, $"the key '{key.Value}' comes twice");
                entries.Add((key.Value, keyLine, ReadNode(parser, depth + 1)));
            }
            return new YamlNode(line) { Entries = entries };
        }
        throw new MappingSyntaxException(line, "aliases (*name) are not supported; write the part out");
    }

    /// <summary>The message without the leading positions.</summary>
    static string Reason(YamlException e)
    {
        var message = e.InnerException?.Message ?? e.Message;
        var end = message.LastIndexOf("): ", StringComparison.Ordinal);
        return (end < 0 ? message : message[(end + 3)..]).ReplaceLineEndings(" ").TrimEnd('.');
    }
}
