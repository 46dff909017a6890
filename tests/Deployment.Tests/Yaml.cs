using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ThermalStreaming.Deployment.Tests;

/// <summary>YAML as a tree, each part with an owner of its own.</summary>
static class Yaml
{
    public static IReadOnlyList<YamlMappingNode> Documents(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return [.. stream.Documents.Select(document => (YamlMappingNode)Copy(document.RootNode))];
    }

    public static string Write(YamlNode node)
    {
        var text = new StringWriter();
        new YamlStream(new YamlDocument(Copy(node))).Save(text, assignAnchors: false);
        return text.ToString();
    }

    /// <summary>A copy that shares nothing, so that a patch of one place does not change another one that an alias names.</summary>
    public static YamlNode Copy(YamlNode node) =>
        node switch
        {
            YamlMappingNode mapping => new YamlMappingNode(
                mapping.Children.Select(child => KeyValuePair.Create(Copy(child.Key), Copy(child.Value)))
            ),
            YamlSequenceNode sequence => new YamlSequenceNode(sequence.Children.Select(Copy)),
            YamlScalarNode scalar => new YamlScalarNode(scalar.Value) { Style = scalar.Style },
            _ => throw new InvalidDataException($"{node} at {node.Start}"),
        };

    public static YamlScalarNode Text(string value) => new(value) { Style = ScalarStyle.DoubleQuoted };

    public static YamlNode? Find(this YamlNode? node, params ReadOnlySpan<string> path)
    {
        foreach (var key in path)
            node = node is YamlMappingNode mapping && mapping.Children.TryGetValue(key, out var child) ? child : null;
        return node;
    }

    public static string? TextAt(this YamlNode? node, params ReadOnlySpan<string> path) => (node.Find(path) as YamlScalarNode)?.Value;

    public static IEnumerable<YamlNode> ItemsAt(this YamlNode? node, params ReadOnlySpan<string> path) =>
        node.Find(path) switch
        {
            null => [],
            YamlSequenceNode sequence => sequence.Children,
            var other => throw new InvalidDataException($"a list is expected at {other.Start}"),
        };

    /// <summary>The mapping of this name, made where there is none.</summary>
    public static YamlMappingNode Within(this YamlMappingNode node, string key)
    {
        if (node.Children.TryGetValue(key, out var child))
            return (YamlMappingNode)child;
        var made = new YamlMappingNode();
        node.Add(key, made);
        return made;
    }

    public static void Set(this YamlMappingNode node, string key, YamlNode value) => node.Children[key] = value;

    /// <summary>Fails at a key that is not one of these.</summary>
    public static void Allow(this YamlMappingNode node, string what, params string[] keys)
    {
        var unknown = node.Children.Keys.Select(key => ((YamlScalarNode)key).Value!).Except(keys).ToList();
        if (unknown.Count > 0)
            throw new InvalidDataException($"{what} has {string.Join(", ", unknown)}, which the builder of the tests does not know");
    }

    /// <summary>Every part of the tree.</summary>
    public static IEnumerable<YamlNode> Parts(this YamlNode node) =>
        node switch
        {
            YamlMappingNode mapping => mapping.Children.Values.SelectMany(Parts).Prepend(node),
            YamlSequenceNode sequence => sequence.Children.SelectMany(Parts).Prepend(node),
            _ => [node],
        };
}
