namespace ThermalStreaming.SensorAgent;

/// <summary>Progress of publishing an outbox.</summary>
sealed class PublishingPass
{
    /// <summary>First offset to publish.</summary>
    public long From { get; set; }

    /// <summary>Offsets below this are marked as replayed.</summary>
    public long ReplayUntil { get; set; }

    /// <summary>This process has given offsets below this to the client.</summary>
    public long SentUntil { get; set; }
}
