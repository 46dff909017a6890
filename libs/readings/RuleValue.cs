using System.Globalization;

namespace ThermalStreaming.Readings;

/// <summary>One value of a reading, as the rules see it.</summary>
/// <param name="Type">What it is.</param>
/// <param name="Number">The number, which may be NaN; 0 for anything else.</param>
/// <param name="Text">The text, or the JSON of another value; null for a number.</param>
readonly record struct RuleValue(RuleValueType Type, double Number, string? Text)
{
    /// <summary>Longer values are cut for display.</summary>
    const int MostShown = 60;

    public static RuleValue Of(double? number) => number is { } value ? new(RuleValueType.Number, value, null) : default;

    public static RuleValue Of(string text) => new(RuleValueType.Text, 0, text);

    /// <summary>For people.</summary>
    public override string ToString() =>
        Type switch
        {
            RuleValueType.Missing => "nothing",
            RuleValueType.Number => Number.ToString(CultureInfo.InvariantCulture),
            RuleValueType.Text => $"\"{Shown}\"",
            _ => Shown,
        };

    /// <summary>On one line, without terminal control characters: it is a sender's text, and goes into the log.</summary>
    string Shown
    {
        get
        {
            var line = string.Concat(Text!.Take(MostShown).Select(letter => char.IsControl(letter) ? '·' : letter));
            return Text!.Length <= MostShown ? line : line + "…";
        }
    }
}
