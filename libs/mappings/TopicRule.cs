namespace ThermalStreaming.Mappings;

/// <summary>How to treat messages on the topics of one pattern. Immutable.</summary>
/// <param name="Mapping">The mapping that it belongs to.</param>
/// <param name="Pattern">The topics.</param>
/// <param name="Line">Line in the mapping file.</param>
/// <param name="IsJson">Whether the payload is JSON rather than a bare value.</param>
/// <param name="Time">When its readings were taken; null: when they arrive.</param>
/// <param name="Readings">Rules for the readings of each message; none: the messages are known and left out.</param>
sealed record TopicRule(Mapping Mapping, TopicPattern Pattern, int Line, bool IsJson, TimeRule? Time, IReadOnlyList<ReadingRule> Readings)
{
    /// <summary>Its place in the mapping file, for a person.</summary>
    public string Place => $"{Mapping.File}:{Line}";

    /// <summary>The device whose readings a message holds.</summary>
    /// <param name="captured">From the topic, in the order of the captures.</param>
    public string DeviceId(string[] captured) =>
        Mapping.IsGateway
            ? $"{Mapping.Name}:{string.Join(':', captured.Select(GatewayName.Escape))}"
            : captured[Pattern.Captures.ToList().IndexOf(TopicPattern.Device)];
}
