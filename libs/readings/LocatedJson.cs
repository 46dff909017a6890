using System.Text.Json;

namespace ThermalStreaming.Readings;

/// <summary>JSON that a person wrote, with comments and trailing commas, as a tree that knows its lines. Immutable once read.</summary>
sealed class LocatedJson
{
    const int MaxDepth = 16;

    readonly List<(string Name, LocatedJson Value)> members = [];
    readonly List<LocatedJson> items = [];

    LocatedJson(JsonTokenType type, int line)
    {
        Type = type;
        Line = line;
    }

    /// <summary>Of the value's first token.</summary>
    public JsonTokenType Type { get; }

    /// <summary>Where it begins, from 1.</summary>
    public int Line { get; }

    /// <summary>Of a text; "" otherwise.</summary>
    public string Text { get; private init; } = "";

    /// <summary>Of a number; 0 otherwise.</summary>
    public double Number { get; private init; }

    /// <summary>Of an object, in order; a name may come twice.</summary>
    public IReadOnlyList<(string Name, LocatedJson Value)> Members => members;

    /// <summary>Of an array.</summary>
    public IReadOnlyList<LocatedJson> Items => items;

    /// <summary>What it is, for messages.</summary>
    public string Kind =>
        Type switch
        {
            JsonTokenType.StartObject => "an object {…}",
            JsonTokenType.StartArray => "an array […]",
            JsonTokenType.String => $"the text \"{Text}\"",
            JsonTokenType.Number => $"the number {Number.ToString(System.Globalization.CultureInfo.InvariantCulture)}",
            JsonTokenType.Null => "null",
            _ => Type == JsonTokenType.True ? "true" : "false",
        };

    /// <exception cref="FormatException">It is not JSON; the message begins with the line, from 1.</exception>
    public static LocatedJson Read(ReadOnlySpan<byte> text)
    {
        if (text.StartsWith("\uFEFF"u8))
            text = text["\uFEFF"u8.Length..];
        if (text.Trim(" \t\r\n"u8).IsEmpty)
            throw new FormatException("1: the file is empty");
        var reader = new Utf8JsonReader(
            text,
            new JsonReaderOptions
            {
                CommentHandling = JsonCommentHandling.Skip,
                AllowTrailingCommas = true,
                MaxDepth = MaxDepth,
            }
        );
        var lines = new LineCounter(text);
        try
        {
            reader.Read();
            var root = Value(ref reader, ref lines);
            while (reader.Read()) { }
            return root;
        }
        catch (JsonException e)
        {
            // Drops the position at the end, which counts from 0.
            var message = e.Message.Split(" LineNumber:")[0].TrimEnd('.');
            throw new FormatException($"{(e.LineNumber ?? 0) + 1}: {message}", e);
        }
        catch (InvalidOperationException e)
        {
            throw new FormatException($"{lines.At(reader.TokenStartIndex)}: a text is not UTF-8, or holds half of a character", e);
        }
    }

    static LocatedJson Value(ref Utf8JsonReader reader, ref LineCounter lines)
    {
        var line = lines.At(reader.TokenStartIndex);
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var made = new LocatedJson(reader.TokenType, line);
                while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
                {
                    var name = reader.GetString()!;
                    reader.Read();
                    made.members.Add((name, Value(ref reader, ref lines)));
                }
                return made;
            case JsonTokenType.StartArray:
                var array = new LocatedJson(reader.TokenType, line);
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                    array.items.Add(Value(ref reader, ref lines));
                return array;
            case JsonTokenType.String:
                return new(reader.TokenType, line) { Text = reader.GetString()! };
            case JsonTokenType.Number:
                return new(reader.TokenType, line) { Number = reader.TryGetDouble(out var number) ? number : double.PositiveInfinity };
            default:
                return new(reader.TokenType, line);
        }
    }

    /// <summary>Counts lines forward.</summary>
    ref struct LineCounter(ReadOnlySpan<byte> text)
    {
        readonly ReadOnlySpan<byte> text = text;
        int counted;
        int line = 1;

        /// <param name="position">Not before that of the last call.</param>
        public int At(long position)
        {
            line += text[counted..(int)position].Count((byte)'\n');
            counted = (int)position;
            return line;
        }
    }
}
