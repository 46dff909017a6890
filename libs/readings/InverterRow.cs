using System.Buffers;
using System.Text;

namespace ThermalStreaming.Readings;

/// <summary>The inverter row: the original's 11 keys, then device_id, boot_id, sequence, observed_at and, if there is something to report,
/// quality.</summary>
static class InverterRow
{
    internal static readonly RowKey Id = new("id"),
        Pac = new("PAC"),
        EnergyOutput = new("energy_output"),
        Efficiency = new("energy_conversion_efficiency"),
        PerformanceRatio = new("performance_ratio"),
        SystemUptime = new("system_uptime"),
        Temperature = new("temperature"),
        InputVoltage = new("input_voltage"),
        OutputVoltage = new("output_voltage"),
        Frequency = new("frequency"),
        FaultStatusKey = new("fault_status"),
        ObservedAt = new("observed_at");

    /// <summary>What a row takes besides its texts: 15 keys, numbers, a time.</summary>
    const int UsualBytes = 1024;

    /// <param name="reading">With the time that counts.</param>
    /// <param name="identity">Its own, or the one that it was given.</param>
    /// <param name="bootId">Of the batch, for a reading without identity.</param>
    /// <param name="target">Where to.</param>
    public static void Write(InverterReading reading, in ReadingIdentity identity, string bootId, IBufferWriter<byte> target)
    {
        var (id, device, boot) = (
            RowText.Quoted(reading.InverterId),
            RowText.Quoted(identity.DeviceId),
            RowText.QuotedOrNull(identity.IsComplete ? identity.BootId : bootId)
        );
        var quality = ThermalValues.Plain(Encoding.UTF8.GetBytes(reading.Quality));
        var row = new RowText(target, UsualBytes + id.Length + device.Length + boot.Length + quality.Length);
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
        if (!quality.IsEmpty)
        {
            row.Add(ThermalRow.Quality);
            row.AddQuoted(quality);
        }
        row.Add("}"u8);
        row.End();
    }
}
