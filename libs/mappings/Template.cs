using System.Text;

namespace ThermalStreaming.Mappings;

/// <summary>A text with names in braces, which are replaced by other texts.</summary>
static class Template
{
    /// <summary>The first name in braces that is not among <paramref name="names"/>; null if all are.</summary>
    public static string? UnknownName(string text, IReadOnlySet<string> names) =>
        Parts(text).FirstOrDefault(part => part.IsName && !names.Contains(part.Text)) is { Text: { } name } ? name : null;

    /// <summary>Replaces the names by their values.</summary>
    public static string Fill(string text, Func<string, string> value)
    {
        if (!text.Contains('{', StringComparison.Ordinal))
            return text;
        var filled = new StringBuilder();
        foreach (var (part, isName) in Parts(text))
            filled.Append(isName ? value(part) : part);
        return filled.ToString();
    }

    static IEnumerable<(string Text, bool IsName)> Parts(string text)
    {
        var at = 0;
        while (at < text.Length)
        {
            var open = text.IndexOf('{', at);
            var close = open < 0 ? -1 : text.IndexOf('}', open);
            if (close < 0)
            {
                yield return (text[at..], false);
                yield break;
            }
            if (open > at)
                yield return (text[at..open], false);
            yield return (text[(open + 1)..close], true);
            at = close + 1;
        }
    }
}
