namespace ThermalStreaming.Sensors;

/// <summary>The present, as far as it is known: what ages are judged by.</summary>
/// <param name="Utc">The time of day; null while the machine's clock is not synchronised.</param>
/// <param name="BootId">Names this start of the machine; "" where nothing does.</param>
/// <param name="SinceBoot">Time since the machine's start, suspended time included.</param>
public readonly record struct Moment(DateTimeOffset? Utc, string BootId, TimeSpan SinceBoot);
