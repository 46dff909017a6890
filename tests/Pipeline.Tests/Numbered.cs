using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Google.Protobuf;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>What makes a reading of a test the one it is.</summary>
readonly record struct ReadingName(string Device, string Boot, ReadingKind Kind, long Sequence)
{
    public override string ToString() => $"{Device}/{Boot[..Math.Min(8, Boot.Length)]}/{Kind}/{Sequence}";
}

/// <summary>
/// Readings whose every value follows from their name, so that nothing needs to be remembered to say what must arrive. What a row must hold
/// is written here from the description of the rows, not with the code that writes them.
/// </summary>
sealed class Numbered(string device, string boot, DateTimeOffset startedAt, TimeSpan step)
{
    public string Device => device;

    public string Boot => boot;

    public ReadingName Name(ReadingKind kind, long sequence) => new(device, boot, kind, sequence);

    /// <summary>When a reading was taken: each by a step after the one before.</summary>
    public DateTimeOffset ObservedAt(long sequence) => startedAt + step * sequence;

    /// <summary>Readings <paramref name="first"/> and the following as a ReadingBatch.</summary>
    public byte[] Protobuf(ReadingKind kind, long first, int count)
    {
        var batch = new ReadingBatch { DeviceId = device, BootId = boot };
        if (kind == ReadingKind.Thermal)
            batch.Host = new Host
            {
                Hostname = "pi",
                LocalHostname = "pi.local",
                IpAddress = "192.0.2.7",
                MacAddress = "02:00:00:00:00:07",
                StartedAtUs = Microseconds(startedAt),
            };
        for (var sequence = first; sequence < first + count; sequence++)
        {
            if (kind == ReadingKind.Thermal)
                batch.Thermal.Add(Thermal(sequence));
            else
                batch.Inverters.Add(Inverter(sequence));
        }
        return batch.ToByteArray();
    }

    /// <summary>The same readings as a JSON array of rows, without what a forwarder adds.</summary>
    public byte[] Json(ReadingKind kind, long first, int count)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            for (var sequence = first; sequence < first + count; sequence++)
            {
                json.WriteStartObject();
                foreach (var (key, value) in Row(kind, sequence))
                    Write(json, key, value);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>
    /// What the row of a reading must hold, in its order; forwarded_at, channel_id and stream_offset of thermal rows come on top.
    /// </summary>
    public IEnumerable<KeyValuePair<string, object?>> Row(ReadingKind kind, long sequence) =>
        kind == ReadingKind.Thermal ? ThermalRow(sequence) : InverterRow(sequence);

    IEnumerable<KeyValuePair<string, object?>> ThermalRow(long sequence)
    {
        var reading = Thermal(sequence);
        var at = ObservedAt(sequence).UtcDateTime;
        var uuid = new Guid(reading.Id.Span, bigEndian: true).ToString();
        yield return new("uuid", uuid);
        yield return new("rowid", $"{Format(at, "yyyyMMddHHmmss")}_{uuid}");
        yield return new("ipaddress", "192.0.2.7");
        yield return new("macaddress", "02:00:00:00:00:07");
        yield return new("host", "pi");
        yield return new("hostname", "pi");
        yield return new("local_hostname", "pi.local");
        yield return new("cputempf", (double)(104 + sequence % 50 * 9 / 5));
        yield return new("runtime", (double)((reading.ObservedAtUs - Microseconds(startedAt)) / 1_000_000));
        yield return new("systemtime", Format(at, "MM/dd/yyyy HH:mm:ss"));
        yield return new("starttime", Format(startedAt.UtcDateTime, "MM/dd/yyyy HH:mm:ss"));
        yield return new("endtime", Seconds(reading.ObservedAtUs + reading.DurationUs));
        yield return new("te", Seconds(reading.DurationUs));
        yield return new("ts", (double)(reading.ObservedAtUs / 1_000_000));
        yield return new("datetimestamp", Format(at, "yyyy-MM-ddTHH:mm:ss.ffffff") + "+00:00");
        yield return new("cpu", reading.CpuPercent);
        yield return new("memory", reading.MemoryPercent);
        yield return new("diskusage", $"{reading.DiskFreeMb} MB");
        yield return new("temperature", reading.HasTemperatureC ? reading.TemperatureC : null);
        yield return new("humidity", reading.HasHumidityPercent ? reading.HumidityPercent : null);
        yield return new("co2", reading.Co2Ppm);
        yield return new("pressure", reading.PressurePa);
        yield return new("temperatureicp", reading.IcpTemperatureF);
        yield return new("equivalentco2ppm", reading.EquivalentCo2Ppm);
        yield return new("totalvocppb", reading.TvocPpb);
        yield return new("device_id", device);
        yield return new("boot_id", boot);
        yield return new("sequence", (double)sequence);
    }

    IEnumerable<KeyValuePair<string, object?>> InverterRow(long sequence)
    {
        var reading = Inverter(sequence);
        yield return new("id", reading.InverterId);
        yield return new("PAC", reading.PacW);
        yield return new("energy_output", reading.EnergyOutputKwh);
        yield return new("energy_conversion_efficiency", reading.EnergyConversionEfficiencyPercent);
        yield return new("performance_ratio", reading.PerformanceRatio);
        yield return new("system_uptime", reading.SystemUptimePercent);
        yield return new("temperature", reading.TemperatureC);
        yield return new("input_voltage", reading.InputVoltageV);
        yield return new("output_voltage", reading.OutputVoltageV);
        yield return new("frequency", reading.FrequencyHz);
        yield return new("fault_status", "None");
        yield return new("device_id", device);
        yield return new("boot_id", boot);
        yield return new("sequence", (double)sequence);
        yield return new("observed_at", Format(ObservedAt(sequence).UtcDateTime, "yyyy-MM-ddTHH:mm:ss.ffffff") + "+00:00");
    }

    // Decimal arithmetic, and no more decimals than a row has: the values survive as they are. Every tenth and eleventh reading misses a
    // sensor.
    ThermalReading Thermal(long sequence)
    {
        var reading = new ThermalReading
        {
            Sequence = (ulong)sequence,
            ObservedAtUs = Microseconds(ObservedAt(sequence)),
            Id = ByteString.CopyFrom(
                Guid.CreateVersion7(ObservedAt(sequence)).ToByteArray(bigEndian: true)[..6].Concat(Tail(sequence)).ToArray()
            ),
            DurationUs = (uint)(1_500 + sequence % 1_000),
            Co2Ppm = (double)(400m + sequence % 2_000 * 0.5m),
            PressurePa = (double)(90_000m + sequence % 20_000 * 0.25m),
            IcpTemperatureF = (double)(50m + sequence % 4_000 * 0.01m),
            EquivalentCo2Ppm = 400 + sequence % 600,
            TvocPpb = sequence % 500,
            CpuTemperatureC = 40 + (sequence % 50 * 9 / 5) * 5.0 / 9,
            CpuPercent = (double)(sequence % 1_000 * 0.1m),
            MemoryPercent = (double)(10m + sequence % 800 * 0.1m),
            DiskFreeMb = (ulong)(10_000 + sequence),
        };
        if (sequence % 10 != 0)
            reading.TemperatureC = (double)(-10m + sequence % 500_000 * 0.0001m);
        if (sequence % 11 != 0)
            reading.HumidityPercent = (double)(sequence % 10_000 * 0.01m);
        return reading;
    }

    InverterReading Inverter(long sequence) =>
        new()
        {
            Sequence = (ulong)sequence,
            ObservedAtUs = Microseconds(ObservedAt(sequence)),
            InverterId = $"Inverter_{sequence % 60 + 1}",
            PacW = (double)(1_000m + sequence % 100_000 * 0.01m),
            EnergyOutputKwh = (double)(10_000m + sequence % 100_000 * 0.05m),
            EnergyConversionEfficiencyPercent = (double)(90m + sequence % 900 * 0.01m),
            PerformanceRatio = (double)(0.7m + sequence % 2_500 * 0.0001m),
            SystemUptimePercent = (double)(98m + sequence % 200 * 0.01m),
            TemperatureC = (double)(30m + sequence % 2_500 * 0.01m),
            InputVoltageV = (double)(520m + sequence % 16_000 * 0.01m),
            OutputVoltageV = (double)(220m + sequence % 2_000 * 0.01m),
            FrequencyHz = (double)(49.5m + sequence % 1_000 * 0.001m),
        };

    // A UUIDv7 that follows from the reading's name.
    byte[] Tail(long sequence)
    {
        var hash = System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes($"{device}/{boot}/{sequence}"))[..10];
        hash[0] = (byte)(hash[0] & 0x0F | 0x70);
        hash[2] = (byte)(hash[2] & 0x3F | 0x80);
        return hash;
    }

    static void Write(Utf8JsonWriter json, string key, object? value)
    {
        switch (value)
        {
            case null:
                json.WriteNull(key);
                break;
            case string text:
                json.WriteString(key, text);
                break;
            case double number:
                json.WriteNumber(key, number);
                break;
            default:
                throw new InvalidOperationException($"{key} is a {value.GetType()}.");
        }
    }

    static long Microseconds(DateTimeOffset at) => (at - DateTimeOffset.UnixEpoch).Ticks / 10;

    static string Seconds(long microseconds) =>
        string.Create(CultureInfo.InvariantCulture, $"{microseconds / 1_000_000}.{microseconds % 1_000_000:000000}");

    static string Format(DateTime at, string format) => at.ToString(format, CultureInfo.InvariantCulture);
}
