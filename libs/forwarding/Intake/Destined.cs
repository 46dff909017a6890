using ThermalStreaming.Mappings;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>What a topic says about its messages, the same for all of them. Immutable.</summary>
/// <param name="DeviceId">The device whose readings they hold.</param>
/// <param name="Kind">The kind of the readings.</param>
sealed record Destined(string DeviceId, ReadingKind Kind)
{
    /// <summary>What the mappings say about a topic that is not ours; null for one of ours.</summary>
    public TopicRoute? Route { get; init; }

    /// <summary>Why no message on the topic can be read; null when messages can be read.</summary>
    public string? Problem { get; init; }

    /// <summary>The device that a mapping finds in the topic; null where none does.</summary>
    public string? Sender => Route is { DeviceId.Length: > 0 } route ? route.DeviceId : null;

    /// <summary>Parses a topic.</summary>
    /// <param name="topic">From the broker.</param>
    /// <param name="mappings">For topics that are not ours.</param>
    /// <param name="kind">The kind of readings that mappings should make.</param>
    public static Destined Of(string topic, MappingSet mappings, ReadingKind kind)
    {
        if (Topics.TryParse(topic, out var deviceId, out var own))
            return new(deviceId, own);
        if (mappings.Mappings.Count == 0)
            return new("", kind) { Problem = Topics.Problem(topic) };
        var route = mappings.Route(topic, kind);
        return new(route.DeviceId, kind)
        {
            Route = route,
            Problem = route.Outcome switch
            {
                TopicOutcome.Refused => route.Reason,
                TopicOutcome.Foreign when topic.StartsWith("telemetry/", StringComparison.Ordinal) => Topics.Problem(topic),
                TopicOutcome.Foreign => "no mapping takes the topic; the message came through the subscription of a mapping that is "
                    + "no longer in use. Use that mapping again, then run dead-letters replay",
                _ => null,
            },
        };
    }
}
