namespace ThermalStreaming.SensorAgent;

/// <summary>How readings of a kind are taken.</summary>
/// <param name="Interval">Time between two batches.</param>
/// <param name="BatchSize">Readings per batch.</param>
/// <param name="IsOverridden">Whether it was set at run time rather than by the configuration.</param>
sealed record SamplingRate(TimeSpan Interval, int BatchSize, bool IsOverridden);
