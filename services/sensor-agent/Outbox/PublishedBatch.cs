using ThermalStreaming.Mqtt;

namespace ThermalStreaming.SensorAgent;

/// <summary>A batch handed to the MQTT client and not yet acknowledged by the broker.</summary>
/// <param name="EndOffset">One past its last reading's offset in the outbox.</param>
/// <param name="Count">How many readings.</param>
/// <param name="AppendedAt">When it was stored in the outbox.</param>
/// <param name="Replayed">Whether it is marked as published again.</param>
/// <param name="At">Timestamp of the hand-over to the client.</param>
/// <param name="Acknowledged">The broker's answer.</param>
sealed record PublishedBatch(
    long EndOffset,
    int Count,
    DateTimeOffset AppendedAt,
    bool Replayed,
    long At,
    Task<MqttReasonCode> Acknowledged
);
