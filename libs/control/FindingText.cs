using System.Globalization;

namespace ThermalStreaming.Control;

/// <summary>Words of findings.</summary>
public static class FindingText
{
    /// <summary>The fix where the service itself knows no better one.</summary>
    internal const string LookFurther = "./check finds the cause and says what to do.";

    /// <summary>A text with a capital at its beginning and a full stop at its end; empty if it is empty.</summary>
    public static string Sentence(string text)
    {
        var trimmed = text.Trim();
        if (trimmed.Length == 0)
            return "";
        var end = trimmed[^1] is '.' or '!' or '?' or ')' ? "" : ".";
        return char.ToUpperInvariant(trimmed[0]) + trimmed[1..] + end;
    }

    /// <summary>A number with its noun, for example "1 reading" or "12,480 readings".</summary>
    public static string Count(ulong number, string noun) =>
        string.Create(CultureInfo.InvariantCulture, $"{number:#,0} {noun}{(number == 1 ? "" : "s")}");

    /// <summary>How many readings wait, and for how long.</summary>
    /// <param name="readings">How many.</param>
    /// <param name="what">What they wait for.</param>
    /// <param name="age">How long the oldest has waited.</param>
    internal static string Waiting(ulong readings, string what, TimeSpan age) =>
        $"{Count(readings, "reading")} {(readings == 1 ? "waits" : "wait")} here for {what}, the oldest for {Span(age)}.";

    /// <summary>A time in its largest unit of which there are two or more, for example "52 minutes".</summary>
    public static string Span(TimeSpan span) =>
        span.TotalDays >= 2 ? Count((ulong)span.TotalDays, "day")
        : span.TotalHours >= 2 ? Count((ulong)span.TotalHours, "hour")
        : span.TotalMinutes >= 2 ? Count((ulong)span.TotalMinutes, "minute")
        : Count((ulong)Math.Max(0, span.TotalSeconds), "second");
}
