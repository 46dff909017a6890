using System.Text.Json;

namespace ThermalStreaming.Readings;

/// <summary>
/// The thermal row: the original's 25 keys, by the original's names, so that an existing table and pipe keep working, and the keys that identify and place it.
/// What is the same for a whole batch is encoded once. Immutable.
/// </summary>
sealed class ThermalRow
{
    internal static readonly JsonEncodedText
        Uuid = JsonEncodedText.Encode("uuid"), RowId = JsonEncodedText.Encode("rowid"), IpAddress = JsonEncodedText.Encode("ipaddress"),
        MacAddress = JsonEncodedText.Encode("macaddress"), HostKey = JsonEncodedText.Encode("host"), HostName = JsonEncodedText.Encode("hostname"),
        LocalHostName = JsonEncodedText.Encode("local_hostname"), CpuTempF = JsonEncodedText.Encode("cputempf"), Runtime = JsonEncodedText.Encode("runtime"),
        SystemTime = JsonEncodedText.Encode("systemtime"), StartTime = JsonEncodedText.Encode("starttime"), EndTime = JsonEncodedText.Encode("endtime"),
        Te = JsonEncodedText.Encode("te"), Ts = JsonEncodedText.Encode("ts"), DateTimeStamp = JsonEncodedText.Encode("datetimestamp"),
        Cpu = JsonEncodedText.Encode("cpu"), Memory = JsonEncodedText.Encode("memory"), DiskUsage = JsonEncodedText.Encode("diskusage"),
        Temperature = JsonEncodedText.Encode("temperature"), Humidity = JsonEncodedText.Encode("humidity"), Co2 = JsonEncodedText.Encode("co2"),
        Pressure = JsonEncodedText.Encode("pressure"), TemperatureIcp = JsonEncodedText.Encode("temperatureicp"),
        EquivalentCo2 = JsonEncodedText.Encode("equivalentco2ppm"), TotalVoc = JsonEncodedText.Encode("totalvocppb"),
        DeviceId = JsonEncodedText.Encode("device_id"), BootId = JsonEncodedText.Encode("boot_id"), Sequence = JsonEncodedText.Encode("sequence"),
        ForwardedAt = JsonEncodedText.Encode("forwarded_at"), ChannelId = JsonEncodedText.Encode("channel_id"), StreamOffset = JsonEncodedText.Encode("stream_offset");

    readonly Host? host;
    readonly JsonEncodedText hostName;
    readonly JsonEncodedText localHostName;
    readonly JsonEncodedText ipAddress;
    readonly JsonEncodedText macAddress;
    readonly JsonEncodedText deviceId;
    readonly JsonEncodedText bootId;

    public ThermalRow(Host? host, string deviceId, string bootId)
    {
        this.host = host;
        hostName = JsonEncodedText.Encode(host?.Hostname ?? "");
        localHostName = JsonEncodedText.Encode(host?.LocalHostname ?? "");
        ipAddress = JsonEncodedText.Encode(host?.IpAddress ?? "");
        macAddress = JsonEncodedText.Encode(host?.MacAddress ?? "");
        this.deviceId = JsonEncodedText.Encode(deviceId);
        this.bootId = JsonEncodedText.Encode(bootId);
    }

    public void Write(in ThermalValues reading, Utf8JsonWriter json, in RowStamp stamp)
    {
        var observedAt = Instants.FromMicroseconds(reading.ObservedAtUs);
        Span<byte> text = stackalloc byte[64];
        json.WriteStartObject();
        WriteIds(reading, observedAt, json, text);
        WriteText(json, IpAddress, ipAddress);
        WriteText(json, MacAddress, macAddress);
        WriteText(json, HostKey, hostName);
        WriteText(json, HostName, hostName);
        WriteText(json, LocalHostName, localHostName);
        // A cast makes 0 of what is no number.
        if (reading.CpuTemperatureC is { } celsius && Math.Abs(celsius) < 1e6)
            json.WriteNumber(CpuTempF, (long)Math.Round(celsius * 9 / 5 + 32));
        else
            json.WriteNull(CpuTempF);
        WriteTimes(reading, observedAt, json, text);
        WriteNumber(json, Cpu, reading.CpuPercent, 1);
        WriteNumber(json, Memory, reading.MemoryPercent, 1);
        if (reading.DiskFreeMb is { } free)
        {
            System.Buffers.Text.Utf8Formatter.TryFormat(free, text, out var length);
            " MB"u8.CopyTo(text[length..]);
            json.WriteString(DiskUsage, text[..(length + 3)]);
        }
        else
        {
            json.WriteNull(DiskUsage);
        }
        WriteNumber(json, Temperature, reading.TemperatureC, 4);
        WriteNumber(json, Humidity, reading.HumidityPercent, 2);
        WriteNumber(json, Co2, reading.Co2Ppm, 1);
        WriteNumber(json, Pressure, reading.PressurePa, 2);
        WriteNumber(json, TemperatureIcp, reading.IcpTemperatureF, 2);
        WriteNumber(json, EquivalentCo2, reading.EquivalentCo2Ppm, 1);
        WriteNumber(json, TotalVoc, reading.TvocPpb, 1);
        json.WriteString(DeviceId, deviceId);
        WriteText(json, BootId, bootId);
        if (reading.Sequence > 0)
            json.WriteNumber(Sequence, reading.Sequence);
        else
            json.WriteNull(Sequence);
        WriteStamp(json, stamp, text);
        json.WriteEndObject();
    }

    internal static void WriteStamp(Utf8JsonWriter json, in RowStamp stamp, Span<byte> text)
    {
        Instants.FormatIso(stamp.ForwardedAt, text);
        json.WriteString(ForwardedAt, text[..Instants.IsoLength]);
        json.WriteString(ChannelId, stamp.ChannelId);
        json.WriteNumber(StreamOffset, stamp.StreamOffset);
    }

    static void WriteIds(in ThermalValues reading, DateTimeOffset observedAt, Utf8JsonWriter json, Span<byte> text)
    {
        if (reading.Id.Length != 16)
        {
            json.WriteNull(Uuid);
            json.WriteNull(RowId);
            return;
        }
        // rowid is the second and the uuid, as the original's was meant to be.
        var utc = observedAt.UtcDateTime;
        Instants.Digits(text, 0, 4, utc.Year);
        Instants.Digits(text, 4, 2, utc.Month);
        Instants.Digits(text, 6, 2, utc.Day);
        Instants.Digits(text, 8, 2, utc.Hour);
        Instants.Digits(text, 10, 2, utc.Minute);
        Instants.Digits(text, 12, 2, utc.Second);
        text[14] = (byte)'_';
        new Guid(reading.Id, bigEndian: true).TryFormat(text[15..], out _);
        json.WriteString(Uuid, text[15..51]);
        json.WriteString(RowId, text[..51]);
    }

    void WriteTimes(in ThermalValues reading, DateTimeOffset observedAt, Utf8JsonWriter json, Span<byte> text)
    {
        if (host is { StartedAtUs: > 0 })
            json.WriteNumber(Runtime, Math.Max(0, (reading.ObservedAtUs - host.StartedAtUs) / 1_000_000));
        else
            json.WriteNull(Runtime);
        Instants.FormatAmerican(observedAt, text);
        json.WriteString(SystemTime, text[..Instants.AmericanLength]);
        if (host is { StartedAtUs: > 0 })
        {
            Instants.FormatAmerican(Instants.FromMicroseconds(host.StartedAtUs), text);
            json.WriteString(StartTime, text[..Instants.AmericanLength]);
        }
        else
        {
            json.WriteNull(StartTime);
        }
        json.WriteString(EndTime, text[..Instants.FormatSeconds(reading.ObservedAtUs + reading.DurationUs, text)]);
        json.WriteString(Te, text[..Instants.FormatSeconds(reading.DurationUs, text)]);
        json.WriteNumber(Ts, reading.ObservedAtUs / 1_000_000);
        Instants.FormatIso(observedAt, text);
        json.WriteString(DateTimeStamp, text[..Instants.IsoLength]);
    }

    static void WriteText(Utf8JsonWriter json, JsonEncodedText key, JsonEncodedText value)
    {
        if (value.EncodedUtf8Bytes.IsEmpty)
            json.WriteNull(key);
        else
            json.WriteString(key, value);
    }

    internal static void WriteNumber(Utf8JsonWriter json, JsonEncodedText key, double? delivered, int decimals)
    {
        // NaN and infinities are not JSON; a sensor that delivers one delivered nothing.
        if (delivered is { } value && double.IsFinite(value))
            json.WriteNumber(key, Math.Round(value, decimals));
        else
            json.WriteNull(key);
    }
}
