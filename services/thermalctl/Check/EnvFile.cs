using System.Text.RegularExpressions;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// The names in a <c>.env</c> file, which may begin with <c>export</c>, have <c>=</c> or <c>:</c> behind them, and values in quotes over
/// several lines. Values are left alone: only Compose knows what they mean.
/// </summary>
static partial class EnvFile
{
    /// <summary>The names that get a value, and those that these values refer to, each once and in order.</summary>
    public static (IReadOnlyList<string> Names, IReadOnlySet<string> References) Read(string text)
    {
        List<string> names = [];
        HashSet<string> references = [];
        foreach (Match entry in Entry().Matches(text.Replace("\r", "", StringComparison.Ordinal).TrimStart('\uFEFF')))
        {
            if (!names.Contains(entry.Groups["name"].Value))
                names.Add(entry.Groups["name"].Value);
            references.UnionWith(References(entry.Groups["value"].Value));
        }
        return (names, references);
    }

    /// <summary>
    /// The variables that a text refers to, as <c>$NAME</c> or <c>${NAME…}</c>. Two dollar signs stand for one that means itself.
    /// </summary>
    public static IEnumerable<string> References(string text) => Reference().Matches(text).Select(match => match.Groups["name"].Value);

    // A value in quotes ends at the next such quote without a backslash before it. A line that is no entry, such as a comment, is skipped.
    [GeneratedRegex(
        @"^[ \t]*(?:export[ \t]+)?(?<name>[A-Za-z_][\w.\-\[\]]*)[ \t]*[=:][ \t]*"
            + """(?<value>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^\n]*)[^\n]*$""",
        RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.CultureInvariant
    )]
    private static partial Regex Entry();

    [GeneratedRegex(@"(?<!\$)(?:\$\$)*\$\{?(?<name>[A-Za-z_][A-Za-z0-9_]*)", RegexOptions.CultureInvariant)]
    private static partial Regex Reference();
}
