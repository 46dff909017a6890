namespace ThermalStreaming.Mappings;

/// <summary>A part of a mapping file: a text, a list, or keys with values. Immutable.</summary>
/// <param name="Line">Line where it begins, from 1.</param>
sealed record YamlNode(int Line)
{
    /// <summary>The text; null if it is not a text.</summary>
    public string? Text { get; init; }

    /// <summary>The items of a list; null if it is not a list.</summary>
    public IReadOnlyList<YamlNode>? Items { get; init; }

    /// <summary>The keys in order, each once; null if it has no keys.</summary>
    public IReadOnlyList<(string Key, int Line, YamlNode Value)>? Entries { get; init; }

    /// <summary>The value under a key; null if there is none.</summary>
    public YamlNode? this[string key] => Entries?.FirstOrDefault(entry => entry.Key == key).Value;

    /// <summary>The type of this part, for a person who expected another one.</summary>
    public string Description =>
        Text is not null ? $"'{Text}'"
        : Items is not null ? "a list"
        : Entries is not null ? "keys with values"
        : "empty";
}
