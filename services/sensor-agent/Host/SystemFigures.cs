namespace ThermalStreaming.SensorAgent;

/// <summary>State of the machine when a reading was taken; null for values that it does not report.</summary>
/// <param name="UnderVoltage">Whether the supply of a Raspberry Pi was too low.</param>
/// <param name="Throttled">Why its processor is slowed, as bits.</param>
/// <param name="LoadAverage">Average over a minute.</param>
/// <param name="Uptime">Time since the machine's start.</param>
sealed record SystemFigures(bool? UnderVoltage, uint? Throttled, double? LoadAverage, TimeSpan Uptime)
{
    /// <summary>Figures before the first reading.</summary>
    public static readonly SystemFigures None = new(null, null, null, TimeSpan.Zero);
}
