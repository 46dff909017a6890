using System.Globalization;

namespace ThermalStreaming.Thermalctl;

/// <summary>Figures in a form for people. Unknown values are a dash.</summary>
static class ShortText
{
    const string None = "-";

    /// <summary>For example 12,345.</summary>
    public static string Count(ulong? value) => value?.ToString("#,0", CultureInfo.InvariantCulture) ?? None;

    /// <summary>For example 0.25, 2.5 or 1,234.</summary>
    public static string Rate(double? value) =>
        value switch
        {
            null => None,
            < 0.005 => "0",
            < 1 => value.Value.ToString("0.00", CultureInfo.InvariantCulture),
            < 100 => value.Value.ToString("0.0", CultureInfo.InvariantCulture),
            _ => value.Value.ToString("#,0", CultureInfo.InvariantCulture),
        };

    /// <summary>With its two largest units, for example 3d 4h or 12m 5s.</summary>
    public static string Span(TimeSpan? span) =>
        span switch
        {
            null => None,
            { TotalSeconds: < 1 } => "0s",
            { TotalMinutes: < 1 } => Text($"{span.Value.Seconds}s"),
            { TotalHours: < 1 } => Text($"{span.Value.Minutes}m {span.Value.Seconds}s"),
            { TotalDays: < 1 } => Text($"{span.Value.Hours}h {span.Value.Minutes}m"),
            _ => Text($"{(long)span.Value.TotalDays}d {span.Value.Hours}h"),
        };

    /// <summary>For example 512 B, 1.5 MB.</summary>
    public static string Bytes(ulong value) =>
        value switch
        {
            < 1_000 => Text($"{value} B"),
            < 1_000_000 => Text($"{value / 1e3:0.#} kB"),
            < 1_000_000_000 => Text($"{value / 1e6:0.#} MB"),
            _ => Text($"{value / 1e9:0.##} GB"),
        };

    /// <summary>For example "1 reading", "2 readings".</summary>
    public static string Of(ulong count, string noun, string? plural = null) =>
        Text($"{count:#,0} {(count == 1 ? noun : plural ?? noun + "s")}");

    /// <summary>A number in the invariant culture.</summary>
    public static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
