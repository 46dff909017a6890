using System.Globalization;

namespace ThermalStreaming.Mappings;

/// <summary>Where the messages of a topic go. The same for every message of the topic; immutable.</summary>
public sealed class TopicRoute
{
    internal TopicRoute(
        TopicOutcome outcome,
        TopicRule? rule = null,
        string[]? topic = null,
        string[]? captured = null,
        string deviceId = "",
        string reason = ""
    )
    {
        (Outcome, Rule, Topic, Captured, DeviceId, Reason) = (outcome, rule, topic ?? [], captured ?? [], deviceId, reason);
    }

    public TopicOutcome Outcome { get; }

    /// <summary>The device of the readings; empty unless a mapping takes the topic.</summary>
    public string DeviceId { get; }

    /// <summary>Why the topic is refused, or where it is left out.</summary>
    public string Reason { get; }

    /// <summary>The mapping that takes the topic; empty if none does.</summary>
    public string Mapping => Rule?.Mapping.Name ?? "";

    /// <summary>File, line and pattern of the rule that takes it; empty if none does.</summary>
    public string Place => Rule is null ? "" : $"{Rule.Place}: {Rule.Pattern.Text}";

    internal TopicRule? Rule { get; }

    /// <summary>The levels of the topic.</summary>
    internal string[] Topic { get; }

    internal string[] Captured { get; }

    /// <summary>The value of a name in a constant.</summary>
    internal string Value(string name) =>
        int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var level)
            ? Topic[level - 1]
            : Captured[Rule!.Pattern.Captures.ToList().IndexOf(name)];
}
