using System.Globalization;
using System.Text.RegularExpressions;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl;

/// <summary>Finds names in <c>.env</c> that nothing reads: Compose passes over them without a word.</summary>
static partial class UnreadSettings
{
    /// <summary>What Compose reads for itself.</summary>
    static readonly string[] ofCompose =
    [
        "COMPOSE_ANSI",
        "COMPOSE_BAKE",
        "COMPOSE_COMPATIBILITY",
        "COMPOSE_CONVERT_WINDOWS_PATHS",
        "COMPOSE_ENV_FILES",
        "COMPOSE_EXPERIMENTAL",
        "COMPOSE_FILE",
        "COMPOSE_IGNORE_ORPHANS",
        "COMPOSE_MENU",
        "COMPOSE_PARALLEL_LIMIT",
        "COMPOSE_PATH_SEPARATOR",
        "COMPOSE_PROFILES",
        "COMPOSE_PROGRESS",
        "COMPOSE_PROJECT_NAME",
        "COMPOSE_REMOVE_ORPHANS",
        "COMPOSE_STATUS_STDOUT",
    ];

    /// <summary>Of Docker and its builder, which older versions of Compose pass them on to.</summary>
    static readonly string[] prefixesOfDocker = ["DOCKER_", "BUILDKIT_", "BUILDX_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];

    public static CheckResult Judge(SettingsSources sources)
    {
        var (names, references) = EnvFile.Read(sources.Env);
        HashSet<string> read = [.. sources.ComposeFiles.SelectMany(ReadBy), .. ofCompose];
        var unread = names.Where(name => !read.Contains(name) && !references.Contains(name) && !IsOfTools(name)).ToList();
        if (unread.Count == 0)
            return CheckResult.Ok(
                names.Count == 0 ? "no settings in it" : string.Create(CultureInfo.InvariantCulture, $"{names.Count} names, all known")
            );
        var hints = unread
            .Select(name => (Name: name, Near: Near(name, read)))
            .Where(hint => hint.Near.Count > 0)
            .Select(hint => $"{string.Join(" or ", hint.Near)} for {hint.Name}")
            .ToList();
        return CheckResult.Warning(
            $"{string.Join(", ", unread)} {(unread.Count == 1 ? "has" : "have")} no effect",
            "No Compose file of this installation reads " + (unread.Count == 1 ? "this name." : "these names."),
            "correct or remove "
                + (unread.Count == 1 ? "it" : "them")
                + " in .env, then ./up --no-build; .env.example has every setting"
                + (hints.Count == 0 ? "" : $". Did you mean {string.Join(", ", hints)}?")
        );
    }

    /// <summary>The names that a Compose file takes from <c>.env</c>, and some other words without harm.</summary>
    static IEnumerable<string> ReadBy(string composeFile)
    {
        var text = Comment().Replace(composeFile, "");
        return EnvFile.References(text).Concat(Bare().Matches(text).Select(match => match.Groups["name"].Value));
    }

    static bool IsOfTools(string name) =>
        prefixesOfDocker.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
        // One of a later Compose, unless it is a slip of the pen.
        || (name.StartsWith("COMPOSE_", StringComparison.Ordinal) && Near(name, ofCompose).Count == 0);

    /// <summary>Names that may have been meant, at most three.</summary>
    static List<string> Near(string name, IEnumerable<string> known)
    {
        // Words of a Compose file that are no settings are in lower case.
        var settings = known.Where(IsSetting).ToList();
        var upper = name.ToUpperInvariant().Replace('-', '_').Replace('.', '_');
        // In .env a path on this machine; the service has the file elsewhere.
        if (upper.EndsWith("_FILE", StringComparison.Ordinal) && settings.Contains(upper[..^4] + "PATH"))
            return [upper[..^4] + "PATH"];
        var longer = settings
            .Where(setting => setting.EndsWith("_" + upper, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .ToList();
        if (longer.Count is > 0 and <= 3)
            return longer;
        var best = settings
            .Select(setting => (Setting: setting, Distance: Distance(upper, setting)))
            .Where(candidate => candidate.Distance <= Math.Clamp(upper.Length / 4, 1, 3))
            .OrderBy(candidate => candidate.Distance)
            .ThenBy(candidate => candidate.Setting, StringComparer.Ordinal)
            .FirstOrDefault();
        return best.Setting is null ? [] : [best.Setting];
    }

    static bool IsSetting(string word) => word.All(letter => char.IsAsciiLetterUpper(letter) || char.IsAsciiDigit(letter) || letter == '_');

    /// <summary>How many letters must be put in, taken out or replaced to make one text of the other (Levenshtein).</summary>
    static int Distance(string one, string other)
    {
        var row = Enumerable.Range(0, other.Length + 1).ToArray();
        for (var i = 1; i <= one.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= other.Length; j++)
            {
                var replaced = diagonal + (one[i - 1] == other[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, 1 + Math.Min(row[j], row[j - 1]));
            }
        }
        return row[^1];
    }

    [GeneratedRegex("^[ \\t]*#.*$", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Comment();

    // NAME: or - NAME, whose value Compose takes from .env.
    [GeneratedRegex(
        """^[ \t]+(?:-[ \t]+)?["']?(?<name>[A-Za-z_][A-Za-z0-9_]*)["']?[ \t]*(?::[ \t]*(?:null|~)?)?[ \t]*(?:#.*)?\r?$""",
        RegexOptions.Multiline | RegexOptions.CultureInvariant
    )]
    private static partial Regex Bare();
}
