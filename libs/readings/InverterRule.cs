namespace ThermalStreaming.Readings;

/// <summary>The valid range of one value of an inverter reading. A missing or out-of-range value breaks the rule.</summary>
public sealed record InverterRule(string Key, double Min, double Max, Func<InverterReading, double?> Value)
{
    /// <summary>The rules of the original, as data: the ranges within which it uploaded a record.</summary>
    public static IReadOnlyList<InverterRule> All { get; } =
    [
        new("PAC", 1000, 5000, reading => reading.HasPacW ? reading.PacW : null),
        new("energy_output", 10000, 20000, reading => reading.HasEnergyOutputKwh ? reading.EnergyOutputKwh : null),
        new("energy_conversion_efficiency", 90, 99, reading => reading.HasEnergyConversionEfficiencyPercent ? reading.EnergyConversionEfficiencyPercent : null),
        new("performance_ratio", 0.7, 0.95, reading => reading.HasPerformanceRatio ? reading.PerformanceRatio : null),
        new("system_uptime", 98, 100, reading => reading.HasSystemUptimePercent ? reading.SystemUptimePercent : null),
        new("temperature", 30, 60, reading => reading.HasTemperatureC ? reading.TemperatureC : null),
        new("input_voltage", 500, 700, reading => reading.HasInputVoltageV ? reading.InputVoltageV : null),
        new("output_voltage", 220, 240, reading => reading.HasOutputVoltageV ? reading.OutputVoltageV : null),
        new("frequency", 49, 51, reading => reading.HasFrequencyHz ? reading.FrequencyHz : null),
    ];

    /// <summary>Null when the reading keeps the rule, or in a few words how it breaks it.</summary>
    public string? Broken(InverterReading reading) => Value(reading) switch
    {
        null => "missing",
        { } value when value < Min || value > Max || double.IsNaN(value) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{value} is not {Min} to {Max}"),
        _ => null,
    };
}
