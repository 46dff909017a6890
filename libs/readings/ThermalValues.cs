using System.Buffers;

namespace ThermalStreaming.Readings;

/// <summary>
/// A <see cref="ThermalReading"/> read straight from its bytes: there are a hundred thousand a second, and an object for each would be most
/// of a forwarder's garbage. Null stands for a value that the sensor did not deliver.
/// </summary>
ref struct ThermalValues
{
    public ulong? Sequence;
    public long ObservedAtUs;
    public ReadOnlySpan<byte> Id;
    public uint DurationUs;
    public double? TemperatureC,
        HumidityPercent,
        Co2Ppm,
        PressurePa,
        IcpTemperatureF,
        EquivalentCo2Ppm,
        TvocPpb,
        CpuTemperatureC,
        CpuPercent,
        MemoryPercent;
    public ulong? DiskFreeMb;
    public double? GasResistanceOhm,
        LoadAverage;
    public bool? UnderVoltage;
    public ulong? Throttled,
        UptimeS;

    /// <summary>A text that needs no escaping; empty if there is none.</summary>
    public ReadOnlySpan<byte> Quality,
        Sensors;

    /// <summary>Most characters of a text; a longer one is left out.</summary>
    internal const int MostText = 200;

    static readonly SearchValues<byte> textBytes = SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:,_-"u8
    );

    /// <summary>Whether it has a value for a key that rows have only when there is something to report.</summary>
    public readonly bool HasOptional =>
        GasResistanceOhm.HasValue
        || LoadAverage.HasValue
        || UnderVoltage.HasValue
        || Throttled.HasValue
        || UptimeS.HasValue
        || !Quality.IsEmpty
        || !Sensors.IsEmpty;

    /// <summary>As in protobuf: if a field comes twice, the last one counts, and an unknown field is skipped.</summary>
    /// <exception cref="PayloadException">The bytes are not such a message.</exception>
    public static ThermalValues Read(ReadOnlySpan<byte> message)
    {
        const uint varint = 0,
            fixed64 = 1,
            bytes = 2;
        var values = new ThermalValues();
        var reader = new WireReader(message);
        while (!reader.AtEnd)
        {
            var tag = reader.ReadTag();
            switch (tag)
            {
                case ThermalReading.SequenceFieldNumber << 3 | varint:
                    values.Sequence = reader.ReadVarint();
                    break;
                case ThermalReading.ObservedAtUsFieldNumber << 3 | varint:
                    values.ObservedAtUs = (long)reader.ReadVarint();
                    break;
                case ThermalReading.IdFieldNumber << 3 | bytes:
                    values.Id = reader.ReadBytes();
                    break;
                case ThermalReading.DurationUsFieldNumber << 3 | varint:
                    values.DurationUs = (uint)reader.ReadVarint();
                    break;
                case ThermalReading.TemperatureCFieldNumber << 3 | fixed64:
                    values.TemperatureC = reader.ReadDouble();
                    break;
                case ThermalReading.HumidityPercentFieldNumber << 3 | fixed64:
                    values.HumidityPercent = reader.ReadDouble();
                    break;
                case ThermalReading.Co2PpmFieldNumber << 3 | fixed64:
                    values.Co2Ppm = reader.ReadDouble();
                    break;
                case ThermalReading.PressurePaFieldNumber << 3 | fixed64:
                    values.PressurePa = reader.ReadDouble();
                    break;
                case ThermalReading.IcpTemperatureFFieldNumber << 3 | fixed64:
                    values.IcpTemperatureF = reader.ReadDouble();
                    break;
                case ThermalReading.EquivalentCo2PpmFieldNumber << 3 | fixed64:
                    values.EquivalentCo2Ppm = reader.ReadDouble();
                    break;
                case ThermalReading.TvocPpbFieldNumber << 3 | fixed64:
                    values.TvocPpb = reader.ReadDouble();
                    break;
                case ThermalReading.CpuTemperatureCFieldNumber << 3 | fixed64:
                    values.CpuTemperatureC = reader.ReadDouble();
                    break;
                case ThermalReading.CpuPercentFieldNumber << 3 | fixed64:
                    values.CpuPercent = reader.ReadDouble();
                    break;
                case ThermalReading.MemoryPercentFieldNumber << 3 | fixed64:
                    values.MemoryPercent = reader.ReadDouble();
                    break;
                case ThermalReading.DiskFreeMbFieldNumber << 3 | varint:
                    values.DiskFreeMb = reader.ReadVarint();
                    break;
                case ThermalReading.GasResistanceOhmFieldNumber << 3 | fixed64:
                    values.GasResistanceOhm = reader.ReadDouble();
                    break;
                case ThermalReading.QualityFieldNumber << 3 | bytes:
                    values.Quality = Plain(reader.ReadBytes());
                    break;
                case ThermalReading.SensorsFieldNumber << 3 | bytes:
                    values.Sensors = Plain(reader.ReadBytes());
                    break;
                case ThermalReading.UnderVoltageFieldNumber << 3 | varint:
                    values.UnderVoltage = reader.ReadVarint() != 0;
                    break;
                case ThermalReading.ThrottledFieldNumber << 3 | varint:
                    values.Throttled = (uint)reader.ReadVarint();
                    break;
                case ThermalReading.LoadAverageFieldNumber << 3 | fixed64:
                    values.LoadAverage = reader.ReadDouble();
                    break;
                case ThermalReading.UptimeSFieldNumber << 3 | varint:
                    values.UptimeS = reader.ReadVarint();
                    break;
                default:
                    reader.Skip(tag);
                    break;
            }
        }
        return values;
    }

    /// <summary>The text if it needs no escaping and is not too long; else an empty one.</summary>
    internal static ReadOnlySpan<byte> Plain(ReadOnlySpan<byte> text) =>
        text.Length <= MostText && !text.ContainsAnyExcept(textBytes) ? text : [];
}
