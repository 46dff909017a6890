using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace ThermalStreaming.Hosting;

/// <summary>
/// Reads the settings of a service by the flat names used in <c>.env</c>, and gathers every problem instead of stopping at the first. Each
/// call also documents its setting, so <c>--help</c> and the code cannot disagree. Not thread-safe: used once, at start.
/// </summary>
public sealed class Settings(IConfiguration configuration)
{
    readonly List<string> problems = [];
    readonly List<Entry> entries = [];
    (string Placeholder, string Text)? replaced;

    /// <summary>One documented setting: its name, its default as text ("" when there is none), and what it is for.</summary>
    public sealed record Entry(string Key, string Default, string Description);

    /// <summary>One line per problem: key, value found (never a secret), what is allowed, how to set it.</summary>
    public IReadOnlyList<string> Problems => problems;

    /// <summary>Every setting that was read, in the order of reading.</summary>
    public IReadOnlyList<Entry> Entries => entries;

    /// <summary>Adds a problem that concerns more than one setting, or one that only its user can judge.</summary>
    public void Problem(string problem) => problems.Add(problem);

    /// <summary>
    /// Reports a name that this service read in an earlier version and that still has a value, which would otherwise have no effect.
    /// <paramref name="instead"/> completes "KEY is set, but this service no longer reads it; …".
    /// </summary>
    public void Retired(string key, string instead)
    {
        if (Value(key) is not null)
            problems.Add($"{key} is set, but this service no longer reads it; {instead}");
    }

    /// <summary>Values read from now on have <paramref name="text"/> in place of a placeholder such as <c>{cell}</c>.</summary>
    public void Replace(string placeholder, string text) => replaced = (placeholder, text);

    /// <summary>The value of a setting that other code reads and documents; null when it is blank.</summary>
    public string? Peek(string key) => Value(key);

    /// <summary>True when the setting has a value that is not blank.</summary>
    public bool Has(string key) => Value(key) is not null;

    public string Text(string key, string defaultValue, string description)
    {
        entries.Add(new(key, defaultValue, description));
        return Value(key) ?? defaultValue;
    }

    public string? OptionalText(string key, string description)
    {
        entries.Add(new(key, "", description));
        return Value(key);
    }

    /// <summary>A text that has no sensible default. <paramref name="howTo"/> completes "KEY is not set; …".</summary>
    public string Required(string key, string description, string howTo)
    {
        entries.Add(new(key, "required", description));
        if (Value(key) is { } value)
            return value;
        problems.Add($"{key} is not set; {howTo}");
        return "";
    }

    public int WholeNumber(string key, int defaultValue, int min, int max, string description) =>
        (int)Number(key, defaultValue, min, max, description, "a whole number");

    public bool Flag(string key, bool defaultValue, string description)
    {
        entries.Add(new(key, defaultValue ? "true" : "false", description));
        switch (Value(key)?.ToLowerInvariant())
        {
            case null:
                return defaultValue;
            case "true" or "1" or "yes" or "on":
                return true;
            case "false" or "0" or "no" or "off":
                return false;
            default:
                problems.Add($"{key} is '{Value(key)}'; it must be true or false (or 1, yes, on; 0, no, off).");
                return defaultValue;
        }
    }

    /// <summary>A span of time: a number with ms, s, m, h or d; a bare number means seconds.</summary>
    public TimeSpan Duration(string key, TimeSpan defaultValue, TimeSpan min, TimeSpan max, string description)
    {
        entries.Add(new(key, Format(defaultValue), description));
        if (Value(key) is not { } text)
            return defaultValue;
        if (TryParseDuration(text, out var value) && value >= min && value <= max)
            return value;
        problems.Add(
            $"{key} is '{text}'{WhyNot(text, "ms, s, m, h, d")}; it must be {Format(min)} to {Format(max)}, for example 500ms, 5s, 2m "
                + "or 1h."
        );
        return defaultValue;
    }

    /// <summary>
    /// An amount of bytes: a number with k, M, G (powers of 1,000) or KiB, MiB, GiB (powers of 1,024); a bare number means bytes.
    /// </summary>
    public long Bytes(string key, long defaultValue, long min, long max, string description)
    {
        entries.Add(new(key, FormatBytes(defaultValue), description));
        if (Value(key) is not { } text)
            return defaultValue;
        if (TryParseBytes(text, out var value) && value >= min && value <= max)
            return value;
        problems.Add(
            $"{key} is '{text}'{WhyNot(text, "k, M, G, T, KiB, MiB, GiB, TiB")}; it must be {FormatBytes(min)} to {FormatBytes(max)}, for "
                + "example 512MiB or 2GiB."
        );
        return defaultValue;
    }

    public TEnum Choice<TEnum>(string key, TEnum defaultValue, string description)
        where TEnum : struct, Enum
    {
        entries.Add(new(key, defaultValue.ToString(), $"{description} One of {string.Join(", ", Enum.GetNames<TEnum>())}."));
        if (Value(key) is not { } text)
            return defaultValue;
        if (
            !char.IsAsciiDigit(text[0])
            && Enum.TryParse<TEnum>(
                text.Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal),
                ignoreCase: true,
                out var value
            )
            && Enum.IsDefined(value)
        )
            return value;
        problems.Add($"{key} is '{text}'; it must be one of {string.Join(", ", Enum.GetNames<TEnum>())}.");
        return defaultValue;
    }

    /// <summary>
    /// A secret: the content of the file that <c>{key}_FILE</c> names, without trailing line ends, or the value of <paramref name="key"/>
    /// itself where that file is empty or none is named. Null when neither is set. The value never appears in a problem.
    /// </summary>
    public string? Secret(string key, string description)
    {
        entries.Add(new($"{key}_FILE", "", $"{description} Path of a file that holds it; {key} itself is read too."));
        if (Value($"{key}_FILE") is not { } path)
            return Value(key);
        try
        {
            // Compose mounts /dev/null where the installation has no such file.
            return File.ReadAllText(path).TrimEnd('\r', '\n') is { Length: > 0 } text ? text : Value(key) ?? "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problems.Add(
                Directory.Exists(path)
                    ? $"{key}_FILE is '{path}', which is a directory (Docker makes one where a file to be mounted is missing); remove it, "
                        + "and put the file there."
                    : $"{key}_FILE is '{path}', which cannot be read ({Reason(e)}); {Remedy(e, path)}"
            );
            return null;
        }
    }

    /// <summary>The file that <see cref="Secret"/> reads; null when none is named.</summary>
    public string? SecretFile(string key) => Value($"{key}_FILE");

    /// <summary>Why a file could not be read, in a few words without its path.</summary>
    public static string Reason(Exception e) =>
        e switch
        {
            FileNotFoundException or DirectoryNotFoundException => "it does not exist",
            UnauthorizedAccessException { InnerException: { } inner } =>
                $"permission denied for user {Environment.UserName}: {inner.Message}",
            UnauthorizedAccessException => $"permission denied for user {Environment.UserName}",
            _ => e.Message,
        };

    static string Remedy(Exception e, string path) =>
        e is UnauthorizedAccessException
            ? $"make it readable for the user this process runs as, for example: chmod o+r {path}"
            : "create the file or correct the path.";

    long Number(string key, long defaultValue, long min, long max, string description, string what)
    {
        entries.Add(new(key, defaultValue.ToString(CultureInfo.InvariantCulture), description));
        if (Value(key) is not { } text)
            return defaultValue;
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max)
            return value;
        problems.Add($"{key} is '{text}'; it must be {what}, {min} to {max}{(text.All(char.IsAsciiDigit) ? "" : ", in digits alone")}.");
        return defaultValue;
    }

    // Compose passes VAR= for an unset variable: blank means not set.
    string? Value(string key) =>
        string.IsNullOrWhiteSpace(configuration[key]) ? null
        : replaced is var (placeholder, text) ? configuration[key]!.Trim().Replace(placeholder, text, StringComparison.Ordinal)
        : configuration[key]!.Trim();

    public static bool TryParseDuration(string text, out TimeSpan value)
    {
        var (number, unit) = Split(text);
        double? seconds = unit switch
        {
            "ms" => 0.001,
            "" or "s" => 1,
            "m" or "min" => 60,
            "h" => 3600,
            "d" => 86400,
            _ => null,
        };
        value = default;
        if (
            seconds is null
            || !double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount)
            || amount > 1e9
        )
            return false;
        value = TimeSpan.FromSeconds(amount * seconds.Value);
        return true;
    }

    public static bool TryParseBytes(string text, out long value)
    {
        var (number, unit) = Split(text);
        double? factor = unit.ToLowerInvariant() switch
        {
            "" or "b" => 1,
            "k" or "kb" => 1e3,
            "m" or "mb" => 1e6,
            "g" or "gb" => 1e9,
            "t" or "tb" => 1e12,
            "ki" or "kib" => 1024,
            "mi" or "mib" => 1024 * 1024,
            "gi" or "gib" => 1024 * 1024 * 1024,
            "ti" or "tib" => 1024d * 1024 * 1024 * 1024,
            _ => null,
        };
        value = 0;
        if (
            factor is null
            || !double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount)
            || amount * factor > 9e18
        )
            return false;
        value = (long)(amount * factor.Value);
        return true;
    }

    /// <summary>Which part of an amount cannot be read; "" if it can be read and only its size is wrong.</summary>
    static string WhyNot(string text, string units)
    {
        var (number, unit) = Split(text);
        return (number, unit) switch
        {
            ("", ['-', ..]) => ", which is negative",
            ("", _) => ", which does not begin with a number",
            (_, [',', ..]) => ", with a comma: the decimal sign is a point",
            _ when number.Count(c => c == '.') > 1 => $", where '{number}' is not a number",
            _ when unit.Any(char.IsAsciiDigit) => ", which is more than one number: write it with one unit",
            _ when !TryParseDuration(text, out _) && !TryParseBytes(text, out _) => $", where '{unit}' is not a unit: write {units}",
            _ => "",
        };
    }

    static (string Number, string Unit) Split(string text)
    {
        var end = 0;
        while (end < text.Length && (char.IsAsciiDigit(text[end]) || text[end] == '.'))
            end++;
        return (text[..end], text[end..].Trim());
    }

    static string Format(TimeSpan value) =>
        value switch
        {
            { TotalMilliseconds: < 1000 and > 0 } => $"{value.TotalMilliseconds:0}ms",
            _ when value.TotalSeconds % 86400 == 0 && value > TimeSpan.Zero => $"{value.TotalDays:0}d",
            _ when value.TotalSeconds % 3600 == 0 && value > TimeSpan.Zero => $"{value.TotalHours:0}h",
            _ when value.TotalSeconds % 60 == 0 && value > TimeSpan.Zero => $"{value.TotalMinutes:0}m",
            _ => string.Create(CultureInfo.InvariantCulture, $"{value.TotalSeconds:0.###}s"),
        };

    static string FormatBytes(long value) =>
        value switch
        {
            >= 1L << 30 when value % (1L << 30) == 0 => $"{value >> 30}GiB",
            >= 1L << 20 when value % (1L << 20) == 0 => $"{value >> 20}MiB",
            >= 1L << 10 when value % (1L << 10) == 0 => $"{value >> 10}KiB",
            _ => value.ToString(CultureInfo.InvariantCulture),
        };
}
