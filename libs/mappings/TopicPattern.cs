using System.Globalization;

namespace ThermalStreaming.Mappings;

/// <summary>
/// The topics that a mapping takes: levels, each of which may have a star or a capture, <c>tele/{device}/SENSOR</c>. Immutable.
/// </summary>
sealed class TopicPattern
{
    /// <summary>The capture that names the publishing device.</summary>
    public const string Device = "device";

    const int MaxLevels = 16;

    readonly NamePattern[] levels;

    TopicPattern(string text, NamePattern[] levels)
    {
        (Text, this.levels) = (text, levels);
        Filter = new TopicFilter(string.Join('/', levels.Select(level => level.IsOpen ? "+" : level.Prefix)));
        Captures = [.. levels.Select(level => level.Capture).OfType<string>()];
        DeviceLevel = Array.FindIndex(levels, level => level.Capture == Device);
    }

    /// <summary>The pattern as written.</summary>
    public string Text { get; }

    /// <summary>The filter to subscribe to, which may take more topics.</summary>
    public TopicFilter Filter { get; }

    /// <summary>The names of the captures, in order.</summary>
    public IReadOnlyList<string> Captures { get; }

    /// <summary>The names that a constant may use: the captures, and each level by its number from 1.</summary>
    public IEnumerable<string> Names =>
        Captures.Concat(Enumerable.Range(1, levels.Length).Select(level => level.ToString(CultureInfo.InvariantCulture)));

    /// <summary>The level that names the device; negative if there is none.</summary>
    public int DeviceLevel { get; }

    /// <returns>The pattern, or what is wrong with it.</returns>
    public static (TopicPattern? Pattern, string Problem) Parse(string text)
    {
        if (text.StartsWith('$'))
            return (null, $"'{text}' begins with $, which MQTT keeps for brokers");
        if (text.Any(char.IsControl))
            return (null, "it holds a control character");
        var levels = text.Split('/').Select(NamePattern.Parse).ToArray();
        if (levels.Length > MaxLevels)
            return (null, $"it has {levels.Length} levels; at most {MaxLevels} are possible");
        if (Array.IndexOf(levels, null) is var wrong and >= 0)
        {
            return (
                null,
                $"'{text.Split('/')[wrong]}' is not a level of a topic pattern; a level is a text with at most one * or one {{name}}, "
                    + "and the wildcards of MQTT, + and #, are written * and {name}"
            );
        }
        var pattern = new TopicPattern(text, levels!);
        if (pattern.Captures.GroupBy(name => name).FirstOrDefault(group => group.Count() > 1) is { } twice)
            return (null, $"the capture {{{twice.Key}}} comes twice");
        if (pattern.DeviceLevel >= 0 && !pattern.levels[pattern.DeviceLevel].IsAnything)
            return (null, "{device} must fill its level: the broker lets a device publish where its name stands alone");
        return levels.All(level => level!.IsAnything) ? (null, $"'{text}' takes every topic of its length") : (pattern, "");
    }

    /// <summary>Whether it takes a topic.</summary>
    /// <param name="topic">Its levels.</param>
    /// <param name="captured">The texts that the captures matched, in order.</param>
    public bool Matches(string[] topic, out string[] captured)
    {
        captured = [];
        if (topic.Length != levels.Length)
            return false;
        var found = new List<string>(Captures.Count);
        for (var i = 0; i < levels.Length; i++)
        {
            if (!levels[i].Matches(topic[i], out var value))
                return false;
            if (levels[i].Capture is not null)
                found.Add(value);
        }
        captured = [.. found];
        return true;
    }
}
