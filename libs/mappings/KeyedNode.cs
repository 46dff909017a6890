namespace ThermalStreaming.Mappings;

/// <summary>A part of a mapping file with keys, read by key. Problems are reported with their line.</summary>
/// <param name="node">The part.</param>
/// <param name="path">The keys that lead to it.</param>
/// <param name="problems">Receives the problems.</param>
sealed class KeyedNode(YamlNode node, string path, MappingProblems problems)
{
    public int Line => node.Line;

    public YamlNode Node => node;

    public MappingProblems Problems => problems;

    /// <summary>The keys that lead to a key of this part.</summary>
    public string Name(string key) => path.Length == 0 ? key : $"{path}.{key}";

    public bool Has(string key) => node[key] is not null;

    public void Add(string key, string problem) => problems.Add((node[key] ?? node).Line, Name(key), problem);

    /// <summary>False if the part has no keys at all. Reports every key that is not allowed.</summary>
    public bool Allow(IReadOnlyList<string> keys)
    {
        if (node.Entries is null)
        {
            problems.Add(node.Line, path, $"is {node.Description}; it must have the keys {string.Join(", ", keys)}");
            return false;
        }
        foreach (var (key, line, _) in node.Entries)
        {
            if (!keys.Contains(key))
                problems.Add(line, Name(key), $"is not a known key here; known are {string.Join(", ", keys)}");
        }
        return true;
    }

    public string? Optional(string key)
    {
        if (node[key] is not { } value)
            return null;
        if (value.Text is null)
            Add(key, $"is {value.Description}; it must be a text");
        return value.Text;
    }

    public string? Required(string key, string what)
    {
        if (node[key] is null)
            problems.Add(node.Line, Name(key), $"is missing: {what}");
        return Optional(key);
    }

    public bool Flag(string key)
    {
        var text = Optional(key);
        if (text is not (null or "true" or "false"))
            Add(key, $"is '{text}'; it must be true or false");
        return text == "true";
    }

    /// <summary>The items of a list of parts with keys; null if there is no list.</summary>
    public IReadOnlyList<KeyedNode>? List(string key)
    {
        if (node[key] is not { } value)
            return null;
        if (value.Items is null)
        {
            Add(key, $"is {value.Description}; it must be a list: lines that begin with '- '");
            return null;
        }
        return [.. value.Items.Select((item, i) => new KeyedNode(item, $"{Name(key)}[{i}]", problems))];
    }

    /// <summary>The texts of a list; a single text counts as a list of one.</summary>
    public IReadOnlyList<YamlNode> Texts(string key)
    {
        if (node[key] is not { } value)
            return [];
        var items = value.Text is not null ? [value] : value.Items ?? [];
        if (items.Count == 0 || items.Any(item => item.Text is null))
            Add(key, "must be a text, or a list of texts");
        return [.. items.Where(item => item.Text is not null)];
    }

    /// <summary>The keys of a part, with their values; empty if there is no such part.</summary>
    public IReadOnlyList<(string Key, YamlNode Value)> Entries(string key)
    {
        if (node[key] is not { } value)
            return [];
        if (value.Entries is null)
            Add(key, $"is {value.Description}; it must be keys with values");
        return [.. (value.Entries ?? []).Select(entry => (entry.Key, entry.Value))];
    }
}
