namespace ThermalStreaming.Mqtt;

/// <summary>
/// A message received. Its payload is valid until <see cref="MqttClient.Acknowledge(in MqttMessage)"/>: then the broker forgets a message
/// of QoS 1, and the memory of its payload is reused. To keep the payload for longer, copy it first.
/// </summary>
public readonly record struct MqttMessage
{
    /// <summary>The same string object for messages of the same topic, as long as it stays in the topic cache.</summary>
    public required string Topic { get; init; }

    public required ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>The content-type property, for example <c>application/x-protobuf</c>.</summary>
    public string? ContentType { get; init; }

    public MqttQos Qos { get; init; }

    /// <summary>A retained message, sent because of a new subscription and not because it was just published.</summary>
    public bool Retain { get; init; }

    /// <summary>Perhaps delivered before (DUP).</summary>
    public bool Duplicate { get; init; }

    /// <summary>The connection it came by; its acknowledgement goes there or nowhere.</summary>
    public long Generation { get; init; }

    /// <summary>1–65,535; 0 with QoS 0.</summary>
    public ushort PacketId { get; init; }

    /// <summary>Place in the order of arrival of its connection, from 0.</summary>
    internal long Arrival { get; init; }
}
