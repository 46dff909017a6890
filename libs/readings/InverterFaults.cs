namespace ThermalStreaming.Readings;

/// <summary>The fault status of an inverter, as the original derives and spells it.</summary>
public static class InverterFaults
{
    /// <summary>The original's order: a missing value first, then heat, then input voltage, then frequency.</summary>
    public static FaultStatus Derive(InverterReading reading) =>
        reading switch
        {
            { HasTemperatureC: false } or { HasInputVoltageV: false } or { HasFrequencyHz: false } => FaultStatus.SensorFailure,
            { TemperatureC: > 55 } => FaultStatus.Overheat,
            { InputVoltageV: < 520 } => FaultStatus.UnderVoltage,
            { InputVoltageV: > 680 } => FaultStatus.OverVoltage,
            { FrequencyHz: < 49.5 or > 50.5 } => FaultStatus.FrequencyError,
            _ => FaultStatus.None,
        };

    public static string Text(FaultStatus status) =>
        status switch
        {
            FaultStatus.SensorFailure => "Sensor Failure",
            FaultStatus.Overheat => "Overheat",
            FaultStatus.UnderVoltage => "Under Voltage",
            FaultStatus.OverVoltage => "Over Voltage",
            FaultStatus.FrequencyError => "Frequency Error",
            _ => "None",
        };

    /// <summary>Null for any text other than the six.</summary>
    public static FaultStatus? Parse(string text) =>
        text switch
        {
            "None" => FaultStatus.None,
            "Sensor Failure" => FaultStatus.SensorFailure,
            "Overheat" => FaultStatus.Overheat,
            "Under Voltage" => FaultStatus.UnderVoltage,
            "Over Voltage" => FaultStatus.OverVoltage,
            "Frequency Error" => FaultStatus.FrequencyError,
            _ => null,
        };
}
