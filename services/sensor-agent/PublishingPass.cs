namespace ThermalStreaming.SensorAgent;

/// <summary>How far publishing an outbox has come.</summary>
sealed class PublishingPass
{
    /// <summary>First offset to publish.</summary>
    public long From { get; set; }

    /// <summary>Offsets below this are marked as replayed.</summary>
    public long ReplayUntil { get; set; }

    /// <summary>Offsets below this have been given to the client by this process.</summary>
    public long SentUntil { get; set; }
}
