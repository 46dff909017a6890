using System.Buffers;

namespace ThermalStreaming.Readings;

/// <summary>
/// The thermal row: the original's 25 keys, by the original's names, so that an existing table and pipe keep working, and the keys that
/// identify and place it. Texts that are the same for a whole batch are encoded once. Immutable.
/// </summary>
sealed class ThermalRow
{
    internal static readonly RowKey Uuid = new("uuid"),
        RowId = new("rowid"),
        IpAddress = new("ipaddress"),
        MacAddress = new("macaddress"),
        HostKey = new("host"),
        HostName = new("hostname"),
        LocalHostName = new("local_hostname"),
        CpuTempF = new("cputempf"),
        Runtime = new("runtime"),
        SystemTime = new("systemtime"),
        StartTime = new("starttime"),
        EndTime = new("endtime"),
        Te = new("te"),
        Ts = new("ts"),
        DateTimeStamp = new("datetimestamp"),
        Cpu = new("cpu"),
        Memory = new("memory"),
        DiskUsage = new("diskusage"),
        Temperature = new("temperature"),
        Humidity = new("humidity"),
        Co2 = new("co2"),
        Pressure = new("pressure"),
        TemperatureIcp = new("temperatureicp"),
        EquivalentCo2 = new("equivalentco2ppm"),
        TotalVoc = new("totalvocppb"),
        DeviceId = new("device_id"),
        BootId = new("boot_id"),
        Sequence = new("sequence"),
        ForwardedAt = new("forwarded_at"),
        ChannelId = new("channel_id"),
        StreamOffset = new("stream_offset"),
        GasResistance = new("gas_resistance"),
        Quality = new("quality"),
        Sensors = new("sensors"),
        UnderVoltage = new("under_voltage"),
        Throttled = new("throttled"),
        LoadAverage = new("load_1m"),
        Uptime = new("uptime_s");

    /// <summary>What a row takes besides its batch's own texts: 38 keys, three quoted ids and times of 36 to 51 bytes, values.</summary>
    const int UsualBytes = 1792;

    /// <summary>No sensor exceeds these, and the columns hold no more.</summary>
    const double MostOhm = 1e11,
        MostLoad = 1e7,
        MostSeconds = 1e15;

    readonly long startedAtUs;
    readonly byte[] host;
    readonly byte[] startTime;
    readonly byte[] device;
    readonly string bootId;
    readonly byte[] boot;

    public ThermalRow(Host? host, string deviceId, string bootId)
    {
        startedAtUs = host?.StartedAtUs ?? 0;
        this.host =
        [
            .. IpAddress.Bytes,
            .. RowText.QuotedOrNull(host?.IpAddress ?? ""),
            .. MacAddress.Bytes,
            .. RowText.QuotedOrNull(host?.MacAddress ?? ""),
            .. HostKey.Bytes,
            .. RowText.QuotedOrNull(host?.Hostname ?? ""),
            .. HostName.Bytes,
            .. RowText.QuotedOrNull(host?.Hostname ?? ""),
            .. LocalHostName.Bytes,
            .. RowText.QuotedOrNull(host?.LocalHostname ?? ""),
        ];
        startTime = [.. StartTime.Bytes, .. startedAtUs > 0 ? American(startedAtUs) : "null"u8];
        device = [.. DeviceId.Bytes, .. RowText.Quoted(deviceId)];
        this.bootId = bootId;
        boot = RowText.QuotedOrNull(bootId);
    }

    /// <param name="reading">With the time that counts.</param>
    /// <param name="identity">Its own, or the one that it was given.</param>
    /// <param name="target">Where to.</param>
    /// <param name="stamp">Of the batch.</param>
    /// <param name="streamOffset">Of the reading.</param>
    public void Write(in ThermalValues reading, in ReadingIdentity identity, IBufferWriter<byte> target, RowStamp stamp, long streamOffset)
    {
        var bootOfRow = !identity.IsComplete || identity.BootId == bootId ? boot : RowText.Quoted(identity.BootId);
        var row = new RowText(
            target,
            UsualBytes
                + host.Length
                + startTime.Length
                + device.Length
                + bootOfRow.Length
                + stamp.Bytes.Length
                + reading.Quality.Length
                + reading.Sensors.Length
        );
        Span<byte> observedAt = stackalloc byte[Instants.IsoLength];
        Instants.FormatIso(Instants.FromMicroseconds(reading.ObservedAtUs), observedAt);
        WriteIds(ref row, reading, observedAt);
        row.Add(host);
        row.Add(CpuTempF);
        // A cast turns anything but a number into 0.
        if (reading.CpuTemperatureC is { } celsius && Math.Abs(celsius) < 1e6)
            row.Add((long)Math.Round(celsius * 9 / 5 + 32));
        else
            row.AddNull();
        WriteTimes(ref row, reading, observedAt);
        row.Add(Cpu, reading.CpuPercent, 1);
        row.Add(Memory, reading.MemoryPercent, 1);
        row.Add(DiskUsage);
        if (reading.DiskFreeMb is { } free)
        {
            row.Add("\""u8);
            row.Add(free);
            row.Add(" MB\""u8);
        }
        else
        {
            row.AddNull();
        }
        row.Add(Temperature, reading.TemperatureC, 4);
        row.Add(Humidity, reading.HumidityPercent, 2);
        row.Add(Co2, reading.Co2Ppm, 1);
        row.Add(Pressure, reading.PressurePa, 2);
        row.Add(TemperatureIcp, reading.IcpTemperatureF, 2);
        row.Add(EquivalentCo2, reading.EquivalentCo2Ppm, 1);
        row.Add(TotalVoc, reading.TvocPpb, 1);
        row.Add(device);
        row.Add(BootId);
        row.Add(bootOfRow);
        row.Add(Sequence);
        if (identity.IsComplete)
            row.Add(identity.Sequence);
        else if (reading.Sequence is { } own)
            row.Add(own);
        else
            row.AddNull();
        row.Add(stamp.Bytes);
        row.Add(streamOffset);
        WriteOptional(ref row, reading);
        row.Add("}"u8);
        row.End();
    }

    /// <summary>
    /// Keys that a row has only when there is something to report. An older table and pipe have no columns for them, and still load the
    /// row.
    /// </summary>
    static void WriteOptional(ref RowText row, in ThermalValues reading)
    {
        if (reading.GasResistanceOhm is { } ohm && Math.Abs(ohm) < MostOhm)
            row.Add(GasResistance, ohm, 0);
        if (reading.UnderVoltage is { } isUnder)
        {
            row.Add(UnderVoltage);
            row.Add(isUnder ? "true"u8 : "false"u8);
        }
        if (reading.Throttled is { } bits)
        {
            row.Add(Throttled);
            row.Add(bits);
        }
        if (reading.LoadAverage is { } load && Math.Abs(load) < MostLoad)
            row.Add(LoadAverage, load, 2);
        if (reading.UptimeS is { } seconds and < (ulong)MostSeconds)
        {
            row.Add(Uptime);
            row.Add(seconds);
        }
        if (!reading.Quality.IsEmpty)
        {
            row.Add(Quality);
            row.AddQuoted(reading.Quality);
        }
        if (reading.Sensors.IsEmpty)
            return;
        row.Add(Sensors);
        row.AddQuoted(reading.Sensors);
    }

    static void WriteIds(ref RowText row, in ThermalValues reading, scoped ReadOnlySpan<byte> observedAt)
    {
        row.Begin(Uuid);
        if (reading.Id.Length != 16)
        {
            row.AddNull();
            row.Add(RowId);
            row.AddNull();
            return;
        }
        Span<byte> uuid = stackalloc byte[36];
        new Guid(reading.Id, bigEndian: true).TryFormat(uuid, out _);
        row.AddQuoted(uuid);
        // rowid is the second and the uuid, as intended in the original.
        row.Add(RowId);
        Span<byte> second = stackalloc byte[16];
        second[0] = (byte)'"';
        observedAt[..4].CopyTo(second[1..]);
        observedAt[5..7].CopyTo(second[5..]);
        observedAt[8..10].CopyTo(second[7..]);
        observedAt[11..13].CopyTo(second[9..]);
        observedAt[14..16].CopyTo(second[11..]);
        observedAt[17..19].CopyTo(second[13..]);
        second[15] = (byte)'_';
        row.Add(second);
        row.Add(uuid);
        row.Add("\""u8);
    }

    void WriteTimes(ref RowText row, in ThermalValues reading, scoped ReadOnlySpan<byte> observedAt)
    {
        Span<byte> text = stackalloc byte[RowText.ValueBytes];
        row.Add(Runtime);
        if (startedAtUs > 0)
            row.Add(Math.Max(0, (reading.ObservedAtUs - startedAtUs) / 1_000_000));
        else
            row.AddNull();
        row.Add(SystemTime);
        Instants.FormatAmerican(observedAt, text);
        row.AddQuoted(text[..Instants.AmericanLength]);
        row.Add(startTime);
        row.Add(EndTime);
        row.AddQuoted(text[..Instants.FormatSeconds(reading.ObservedAtUs + reading.DurationUs, text)]);
        row.Add(Te);
        row.AddQuoted(text[..Instants.FormatSeconds(reading.DurationUs, text)]);
        row.Add(Ts);
        row.Add(reading.ObservedAtUs / 1_000_000);
        row.Add(DateTimeStamp);
        row.AddQuoted(observedAt);
    }

    static byte[] American(long microseconds)
    {
        Span<byte> iso = stackalloc byte[Instants.IsoLength];
        Instants.FormatIso(Instants.FromMicroseconds(microseconds), iso);
        var quoted = new byte[Instants.AmericanLength + 2];
        quoted[0] = quoted[^1] = (byte)'"';
        Instants.FormatAmerican(iso, quoted.AsSpan(1));
        return quoted;
    }
}
