namespace ThermalStreaming.Mappings;

/// <summary>
/// A pattern for a level of a topic, or for a key: a text with at most one <c>*</c>, which stands for any characters or none, or one
/// <c>{name}</c>, which stands for at least one character and captures it. Immutable.
/// </summary>
/// <param name="Prefix">Text before the star or the capture; the whole text if there is neither.</param>
/// <param name="Suffix">Text after it.</param>
/// <param name="IsOpen">Whether there is a star or a capture.</param>
/// <param name="Capture">The name of the capture; null if there is none.</param>
sealed record NamePattern(string Prefix, string Suffix, bool IsOpen, string? Capture)
{
    /// <returns>Null if the text is not a pattern.</returns>
    public static NamePattern? Parse(string text)
    {
        if (text.AsSpan().ContainsAny('+', '#'))
            return null;
        var star = text.IndexOf('*', StringComparison.Ordinal);
        var open = text.IndexOf('{', StringComparison.Ordinal);
        if (star >= 0)
        {
            var behind = text[(star + 1)..];
            return text.AsSpan().ContainsAny('{', '}') || behind.Contains('*', StringComparison.Ordinal)
                ? null
                : new NamePattern(text[..star], behind, true, null);
        }
        if (open < 0)
            return text.Contains('}', StringComparison.Ordinal) ? null : new NamePattern(text, "", false, null);
        var close = text.IndexOf('}', open);
        var name = close < 0 ? "" : text[(open + 1)..close];
        var rest = close < 0 ? "" : text[(close + 1)..];
        return
            name.Length == 0
            || !name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '_')
            || rest.AsSpan().ContainsAny('{', '}')
            || text[..open].Contains('}', StringComparison.Ordinal)
            ? null
            : new NamePattern(text[..open], rest, true, name);
    }

    /// <summary>Whether it matches any text.</summary>
    public bool IsAnything => IsOpen && Prefix.Length + Suffix.Length == 0;

    /// <param name="text">A level of a topic, or a key.</param>
    /// <param name="captured">The text that the star or the capture matched.</param>
    public bool Matches(string text, out string captured)
    {
        captured = "";
        if (!IsOpen)
            return text == Prefix;
        var length = text.Length - Prefix.Length - Suffix.Length;
        if (
            length < (Capture is null ? 0 : 1)
            || !text.StartsWith(Prefix, StringComparison.Ordinal)
            || !text.EndsWith(Suffix, StringComparison.Ordinal)
        )
            return false;
        captured = text.Substring(Prefix.Length, length);
        return true;
    }
}
