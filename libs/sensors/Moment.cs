namespace ThermalStreaming.Sensors;

/// <summary>The present, as far as it is known, for computing ages.</summary>
/// <param name="Utc">The time of day; null while the machine's clock is not synchronised.</param>
/// <param name="BootId">Identifies this start of the machine; "" if nothing does.</param>
/// <param name="SinceBoot">Time since the machine's start, including suspended time.</param>
public readonly record struct Moment(DateTimeOffset? Utc, string BootId, TimeSpan SinceBoot);
