namespace ThermalStreaming.SensorAgent;

/// <summary>How readings of a kind are taken.</summary>
/// <param name="Interval">Between two batches.</param>
/// <param name="BatchSize">Readings a batch.</param>
/// <param name="IsOverridden">It was set at run time rather than by the configuration.</param>
sealed record SamplingRate(TimeSpan Interval, int BatchSize, bool IsOverridden);
