namespace ThermalStreaming.Mqtt;

/// <summary>A message set up in advance: the will or the birth.</summary>
public sealed class MqttAnnouncement
{
    public required string Topic { get; init; }

    public required ReadOnlyMemory<byte> Payload { get; init; }

    public MqttQos Qos { get; init; } = MqttQos.AtLeastOnce;

    /// <summary>Ask the broker to keep it for later subscribers. A broker that keeps no retained messages gets it without.</summary>
    public bool Retain { get; init; } = true;

    public string? ContentType { get; init; }

    internal MqttAnnouncement WithoutRetain() =>
        new()
        {
            Topic = Topic,
            Payload = Payload,
            Qos = Qos,
            Retain = false,
            ContentType = ContentType,
        };
}
