using System.Buffers;
using System.Text;
using System.Text.Json;
using Google.Protobuf;

namespace ThermalStreaming.Readings.Tests;

/// <summary>Payloads and rows for the tests.</summary>
static class Rows
{
    public static readonly string[] OriginalThermalKeys =
    [
        "uuid",
        "rowid",
        "ipaddress",
        "macaddress",
        "host",
        "hostname",
        "local_hostname",
        "cputempf",
        "runtime",
        "systemtime",
        "starttime",
        "endtime",
        "te",
        "ts",
        "datetimestamp",
        "cpu",
        "memory",
        "diskusage",
        "temperature",
        "humidity",
        "co2",
        "pressure",
        "temperatureicp",
        "equivalentco2ppm",
        "totalvocppb",
    ];

    public static readonly string[] AddedThermalKeys = ["device_id", "boot_id", "sequence", "forwarded_at", "channel_id", "stream_offset"];

    public static readonly string[] InverterKeys =
    [
        "id",
        "PAC",
        "energy_output",
        "energy_conversion_efficiency",
        "performance_ratio",
        "system_uptime",
        "temperature",
        "input_voltage",
        "output_voltage",
        "frequency",
        "fault_status",
        "device_id",
        "boot_id",
        "sequence",
        "observed_at",
    ];

    /// <summary>2026-11-20T10:13:48.123456Z.</summary>
    public const long ObservedAtUs = 1_795_169_628_123_456;

    public static readonly DateTimeOffset ReceivedAt = new(2026, 11, 20, 11, 0, 0, TimeSpan.Zero);

    public static readonly RowStamp Stamp = new(
        new DateTimeOffset(2026, 11, 20, 10, 13, 50, TimeSpan.Zero).AddMicroseconds(7),
        "channel-0"
    );

    public const long StreamOffset = 4711;

    public static readonly Guid Id = Guid.Parse("0195b1a2-0c3d-7e4f-8a5b-6c7d8e9f0a1b");

    public static ReadingBatch Batch(params ThermalReading[] readings)
    {
        var batch = new ReadingBatch
        {
            DeviceId = "pi-1",
            BootId = "0195b1a20c3d7e4f8a5b6c7d8e9f0a1b",
            Host = new Host
            {
                Hostname = "pi",
                LocalHostname = "pi.local",
                IpAddress = "192.0.2.7",
                MacAddress = "dc:a6:32:01:02:03",
                StartedAtUs = ObservedAtUs - 90_500_000,
            },
        };
        batch.Thermal.AddRange(readings);
        return batch;
    }

    public static ThermalReading Full(ulong sequence = 1) =>
        new()
        {
            Sequence = sequence,
            ObservedAtUs = ObservedAtUs,
            Id = ByteString.CopyFrom(Id.ToByteArray(bigEndian: true)),
            DurationUs = 1_500,
            TemperatureC = 21.123456,
            HumidityPercent = 45.678,
            Co2Ppm = 612,
            PressurePa = 101_325.456,
            IcpTemperatureF = 71.239,
            EquivalentCo2Ppm = 480,
            TvocPpb = 33,
            CpuTemperatureC = 51.5,
            CpuPercent = 12.34,
            MemoryPercent = 43.21,
            DiskFreeMb = 23_456,
        };

    public static InverterReading Inverter(ulong sequence = 1) =>
        new()
        {
            Sequence = sequence,
            ObservedAtUs = ObservedAtUs,
            InverterId = "Inverter_1",
            PacW = 2500.126,
            EnergyOutputKwh = 15_000,
            EnergyConversionEfficiencyPercent = 95,
            PerformanceRatio = 0.81239,
            SystemUptimePercent = 99,
            TemperatureC = 40,
            InputVoltageV = 600,
            OutputVoltageV = 230,
            FrequencyHz = 50.0016,
            FaultStatus = FaultStatus.None,
        };

    public static Payload Decode(ReadingBatch batch, ReadingKind kind = ReadingKind.Thermal) =>
        Payload.Decode(batch.ToByteArray(), isJson: false, batch.DeviceId.Length == 0 ? "topic-device" : batch.DeviceId, kind, ReceivedAt);

    public static Payload Json(string json, ReadingKind kind = ReadingKind.Thermal) =>
        Payload.Decode(Encoding.UTF8.GetBytes(json), isJson: true, "topic-device", kind, ReceivedAt);

    /// <summary>Why the payload, or its first reading that has a problem, is refused; null when all of it is taken.</summary>
    public static string? Refusal(string json, ReadingKind kind = ReadingKind.Thermal, RowLimits? limits = null)
    {
        try
        {
            return Payload
                .Decode(Encoding.UTF8.GetBytes(json), isJson: true, "topic-device", kind, ReceivedAt, limits: limits)
                .Problems.Values.FirstOrDefault();
        }
        catch (PayloadException e)
        {
            return e.Message;
        }
    }

    public static string Row(this Payload payload, int index = 0)
    {
        var row = new ArrayBufferWriter<byte>();
        payload.WriteRow(index, row, Stamp, StreamOffset);
        return Encoding.UTF8.GetString(row.WrittenSpan);
    }

    public static JsonElement RowJson(this Payload payload, int index = 0) => JsonDocument.Parse(payload.Row(index)).RootElement;

    public static string[] Keys(this JsonElement row) => [.. row.EnumerateObject().Select(property => property.Name)];
}
