namespace ThermalStreaming.SensorAgent;

/// <summary>How the machine was when a reading was taken; null is what it does not tell.</summary>
/// <param name="UnderVoltage">Whether the supply of a Raspberry Pi was too low.</param>
/// <param name="Throttled">Why its processor is slowed, as bits.</param>
/// <param name="LoadAverage">Over a minute.</param>
/// <param name="Uptime">Since the machine's start.</param>
sealed record SystemFigures(bool? UnderVoltage, uint? Throttled, double? LoadAverage, TimeSpan Uptime)
{
    /// <summary>Before the first reading.</summary>
    public static readonly SystemFigures None = new(null, null, null, TimeSpan.Zero);
}
