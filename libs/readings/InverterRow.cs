using System.Buffers;

namespace ThermalStreaming.Readings;

/// <summary>The inverter row: the original's 11 keys, then device_id, boot_id, sequence and observed_at.</summary>
static class InverterRow
{
    internal static readonly RowKey
        Id = new("id"), Pac = new("PAC"), EnergyOutput = new("energy_output"), Efficiency = new("energy_conversion_efficiency"), PerformanceRatio = new("performance_ratio"),
        SystemUptime = new("system_uptime"), Temperature = new("temperature"), InputVoltage = new("input_voltage"), OutputVoltage = new("output_voltage"),
        Frequency = new("frequency"), FaultStatusKey = new("fault_status"), ObservedAt = new("observed_at");

    /// <summary>What a row takes besides its texts: 15 keys, numbers, a time.</summary>
    const int UsualBytes = 1024;

    /// <param name="reading">With the time that counts.</param>
    /// <param name="identity">Its own, or the one that it was given.</param>
    /// <param name="bootId">Of the batch, for a reading without identity.</param>
    /// <param name="target">Where to.</param>
    public static void Write(InverterReading reading, in ReadingIdentity identity, string bootId, IBufferWriter<byte> target)
    {
        var (id, device, boot) = (RowText.Quoted(reading.InverterId), RowText.Quoted(identity.DeviceId), RowText.QuotedOrNull(identity.IsComplete ? identity.BootId : bootId));
        var row = new RowText(target, UsualBytes + id.Length + device.Length + boot.Length);
        row.Begin(Id);
        row.Add(id);
        row.Add(Pac, reading.HasPacW ? reading.PacW : null, 2);
        row.Add(EnergyOutput, reading.HasEnergyOutputKwh ? reading.EnergyOutputKwh : null, 2);
        row.Add(Efficiency, reading.HasEnergyConversionEfficiencyPercent ? reading.EnergyConversionEfficiencyPercent : null, 2);
        row.Add(PerformanceRatio, reading.HasPerformanceRatio ? reading.PerformanceRatio : null, 4);
        row.Add(SystemUptime, reading.HasSystemUptimePercent ? reading.SystemUptimePercent : null, 2);
        row.Add(Temperature, reading.HasTemperatureC ? reading.TemperatureC : null, 2);
        row.Add(InputVoltage, reading.HasInputVoltageV ? reading.InputVoltageV : null, 2);
        row.Add(OutputVoltage, reading.HasOutputVoltageV ? reading.OutputVoltageV : null, 2);
        row.Add(Frequency, reading.HasFrequencyHz ? reading.FrequencyHz : null, 3);
        row.Add(FaultStatusKey);
        row.Add(RowText.Quoted(InverterFaults.Text(reading.FaultStatus)));
        row.Add(ThermalRow.DeviceId);
        row.Add(device);
        row.Add(ThermalRow.BootId);
        row.Add(boot);
        row.Add(ThermalRow.Sequence);
        if (identity.IsComplete)
            row.Add(identity.Sequence);
        else if (reading.HasSequence)
            row.Add(reading.Sequence);
        else
            row.AddNull();
        row.Add(ObservedAt);
        Span<byte> observedAt = stackalloc byte[Instants.IsoLength];
        Instants.FormatIso(Instants.FromMicroseconds(reading.ObservedAtUs), observedAt);
        row.AddQuoted(observedAt);
        row.Add("}"u8);
        row.End();
    }
}

/// <summary>What an inverter says of itself, as the original derives it and spells it.</summary>
public static class InverterFaults
{
    /// <summary>The original's order: a missing value first, then heat, then input voltage, then frequency.</summary>
    public static FaultStatus Derive(InverterReading reading) => reading switch
    {
        { HasTemperatureC: false } or { HasInputVoltageV: false } or { HasFrequencyHz: false } => FaultStatus.SensorFailure,
        { TemperatureC: > 55 } => FaultStatus.Overheat,
        { InputVoltageV: < 520 } => FaultStatus.UnderVoltage,
        { InputVoltageV: > 680 } => FaultStatus.OverVoltage,
        { FrequencyHz: < 49.5 or > 50.5 } => FaultStatus.FrequencyError,
        _ => FaultStatus.None,
    };

    public static string Text(FaultStatus status) => status switch
    {
        FaultStatus.SensorFailure => "Sensor Failure",
        FaultStatus.Overheat => "Overheat",
        FaultStatus.UnderVoltage => "Under Voltage",
        FaultStatus.OverVoltage => "Over Voltage",
        FaultStatus.FrequencyError => "Frequency Error",
        _ => "None",
    };

    /// <summary>Null for a text that is none of the six.</summary>
    public static FaultStatus? Parse(string text) => text switch
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
