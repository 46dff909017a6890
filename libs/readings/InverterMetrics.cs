namespace ThermalStreaming.Readings;

/// <summary>
/// The measurements of an inverter reading by the keys of the row. Rules see them as they were sent; a row's values are rounded.
/// </summary>
public static class InverterMetrics
{
    /// <summary>In the row's order. Null stands for a value that was not delivered.</summary>
    public static IReadOnlyDictionary<string, Func<InverterReading, double?>> All { get; } =
        new Dictionary<string, Func<InverterReading, double?>>(StringComparer.Ordinal)
        {
            ["PAC"] = reading => reading.HasPacW ? reading.PacW : null,
            ["energy_output"] = reading => reading.HasEnergyOutputKwh ? reading.EnergyOutputKwh : null,
            ["energy_conversion_efficiency"] = reading =>
                reading.HasEnergyConversionEfficiencyPercent ? reading.EnergyConversionEfficiencyPercent : null,
            ["performance_ratio"] = reading => reading.HasPerformanceRatio ? reading.PerformanceRatio : null,
            ["system_uptime"] = reading => reading.HasSystemUptimePercent ? reading.SystemUptimePercent : null,
            ["temperature"] = reading => reading.HasTemperatureC ? reading.TemperatureC : null,
            ["input_voltage"] = reading => reading.HasInputVoltageV ? reading.InputVoltageV : null,
            ["output_voltage"] = reading => reading.HasOutputVoltageV ? reading.OutputVoltageV : null,
            ["frequency"] = reading => reading.HasFrequencyHz ? reading.FrequencyHz : null,
        };
}
