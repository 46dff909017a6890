using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using ThermalStreaming.Readings;

namespace ThermalStreaming.S3Forwarder;

/// <summary>The folder of a reading below the prefix: text with placeholders for the reading's time and device. Immutable.</summary>
sealed partial record PartitionTemplate
{
    /// <summary>Longest folder name for a device.</summary>
    public const int MaxDeviceLength = 114;

    /// <summary>Maximum length of the template's text.</summary>
    const int MaxLength = 100;

    /// <summary>Replaces an hour or a device if a batch has too many of them. No device id is escaped to this.</summary>
    const string Others = "!other";

    static readonly string[] placeholders = ["date", "year", "month", "day", "hour", "device", "kind"];

    readonly string text;

    PartitionTemplate(string text)
    {
        this.text = text;
        HasHour = text.Contains("{hour}", StringComparison.Ordinal);
        HasDevice = text.Contains("{device}", StringComparison.Ordinal);
    }

    /// <summary>A folder per day.</summary>
    public static PartitionTemplate Default { get; } = new("{date}");

    /// <summary>Whether readings of different hours have different folders.</summary>
    public bool HasHour { get; }

    /// <summary>Whether readings of different devices have different folders.</summary>
    public bool HasDevice { get; }

    /// <summary>Length of the longest folder that it makes.</summary>
    public int LongestFolder => text.Length + 10 + (HasDevice ? MaxDeviceLength : 0);

    /// <summary>Null if the text cannot be a template; <paramref name="problem"/> then completes "it …".</summary>
    public static PartitionTemplate? Parse(string text, out string? problem)
    {
        problem = Problem(text);
        return problem is null ? new PartitionTemplate(text) : null;
    }

    /// <summary>The folder of a group, without a trailing slash.</summary>
    /// <param name="kind">Kind of its readings.</param>
    /// <param name="date">Their date.</param>
    /// <param name="hour">Their hour; null: any.</param>
    /// <param name="device">Their device; null: any.</param>
    public string Folder(ReadingKind kind, DateOnly date, int? hour, string? device) =>
        PlaceholderPattern()
            .Replace(
                text,
                match =>
                    match.Groups[1].Value switch
                    {
                        "date" => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                        "year" => date.ToString("yyyy", CultureInfo.InvariantCulture),
                        "month" => date.ToString("MM", CultureInfo.InvariantCulture),
                        "day" => date.ToString("dd", CultureInfo.InvariantCulture),
                        "hour" => hour?.ToString("00", CultureInfo.InvariantCulture) ?? Others,
                        "device" => device is null ? Others : Escape(device),
                        _ => Topics.Name(kind),
                    }
            );

    public override string ToString() => text;

    /// <summary>
    /// A device id as a folder: characters that are not safe in a key become ! and two hexadecimal digits per byte. If the result is too
    /// long, its beginning and a hash. Different ids give different folders.
    /// </summary>
    static string Escape(string device)
    {
        var escaped = new StringBuilder(device.Length);
        var onlyDots = device.All(c => c == '.');
        foreach (var b in Encoding.UTF8.GetBytes(device))
        {
            if (char.IsAsciiLetterOrDigit((char)b) || (char)b is '_' or '-' || (b == '.' && !onlyDots))
                escaped.Append((char)b);
            else
                escaped.Append('!').Append(b.ToString("X2", CultureInfo.InvariantCulture));
        }
        if (escaped.Length <= MaxDeviceLength)
            return escaped.ToString();
        var hash = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(device)))[..16];
        // No other folder has two marks in a row.
        return $"{escaped.ToString(0, MaxDeviceLength - 18)}!!{hash}";
    }

    static string? Problem(string text)
    {
        var literal = PlaceholderPattern().Replace(text, "");
        var unknown = PlaceholderPattern()
            .Matches(text)
            .Select(match => match.Groups[1].Value)
            .FirstOrDefault(name => !placeholders.Contains(name));
        var names = PlaceholderPattern().Matches(text).Select(match => match.Groups[1].Value).ToHashSet();
        return unknown is not null ? $"has {{{unknown}}}; known are {string.Join(", ", placeholders.Select(name => $"{{{name}}}"))}"
            : !names.Contains("date") && !(names.Contains("year") && names.Contains("month") && names.Contains("day"))
                ? "must have {date}, or {year}, {month} and {day}: folders without a date grow without end"
            : literal.Length > 0 && !LiteralPattern().IsMatch(literal)
                ? "has a character that is not safe in a key; besides the placeholders only letters, digits and - _ . = / are"
            : text.Length > MaxLength ? $"has {text.Length} characters; at most {MaxLength} are taken"
            : text.StartsWith('/') || text.EndsWith('/') || text.Contains("//", StringComparison.Ordinal)
                ? "must not begin or end with a slash, or hold an empty folder (//)"
            : text.Split('/').Any(folder => folder is "." or "..") ? "must not hold the folders . or .."
            : null;
    }

    [GeneratedRegex(@"\{([^{}]*)\}")]
    private static partial Regex PlaceholderPattern();

    [GeneratedRegex("^[A-Za-z0-9_.=/-]+$")]
    private static partial Regex LiteralPattern();
}
