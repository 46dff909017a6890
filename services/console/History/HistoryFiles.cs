using System.Security.Cryptography;
using System.Text;

namespace ThermalStreaming.Console;

/// <summary>
/// The last 24 hours on disk: one file per hour, in 25 places used in turn, so that they never take more. A file is written beside its
/// place and renamed. A damaged file is left out with a log line; the others count. Used by one thread.
/// </summary>
/// <remarks>
/// A file: "TSCH" and the version, the hour since 1970 (8 bytes), the number of series (4), then each series: device id and metric id, each
/// preceded by its length, and 60 times least, mean and greatest as 32-bit floats (NaN: no value). It ends with the SHA-256 of everything
/// before. All numbers are little-endian.
/// </remarks>
sealed partial class HistoryFiles(ConsoleOptions options, DeviceBook devices, TimeProvider clock, ILogger<HistoryFiles> logger)
{
    const int Places = 25;
    const int MinutesPerHour = 60;
    const string Mark = "TSCH1";

    /// <summary>Space for 100 devices with all series, and more: a larger file is not one of ours.</summary>
    const int LargestFile = 2_000_000;

    string Directory => Path.Combine(options.DataDirectory, "history");

    /// <summary>Reads what the last process wrote.</summary>
    public void Read()
    {
        if (!System.IO.Directory.Exists(Directory))
            return;
        var now = clock.GetUtcNow();
        var thisHour = now.ToUnixTimeSeconds() / 3600;
        foreach (var path in System.IO.Directory.GetFiles(Directory, "hour-*").Order(StringComparer.Ordinal))
        {
            try
            {
                if (path.EndsWith(".new", StringComparison.Ordinal))
                    File.Delete(path);
                else
                    Read(path, thisHour);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                LogUnreadable(path, e.Message);
            }
        }
    }

    /// <summary>Writes the hours that contain these times.</summary>
    public void Write(params ReadOnlySpan<DateTimeOffset> times)
    {
        var last = -1L;
        foreach (var time in times)
        {
            var hour = time.ToUnixTimeSeconds() / 3600;
            if (hour != last)
                Write(hour);
            last = hour;
        }
    }

    void Write(long hour)
    {
        var path = Path.Combine(Directory, $"hour-{hour % Places:00}");
        try
        {
            System.IO.Directory.CreateDirectory(Directory);
            var content = devices.Read(all => Encode(hour, all));
            using (var file = new FileStream(path + ".new", FileMode.Create, FileAccess.Write, FileShare.None, 1))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }
            File.Move(path + ".new", path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogRefused(path, e.Message);
        }
    }

    static byte[] Encode(long hour, IEnumerable<Device> all)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes, Encoding.UTF8);
        writer.Write(Encoding.ASCII.GetBytes(Mark));
        writer.Write(hour);
        var count = 0;
        var countAt = bytes.Position;
        writer.Write(count);
        foreach (var device in all)
        {
            for (var metric = 0; metric < Metric.Count; metric++)
            {
                var values = device.Minutes[metric]?.Between(hour * MinutesPerHour, (hour + 1) * MinutesPerHour).ToArray();
                if (values is not { Length: > 0 })
                    continue;
                count++;
                writer.Write(device.Id);
                writer.Write(Metric.All[metric].Id);
                var next = 0;
                for (var minute = hour * MinutesPerHour; minute < (hour + 1) * MinutesPerHour; minute++)
                {
                    var value =
                        next < values.Length && values[next].Minute == minute
                            ? values[next++]
                            : new MinuteValue(minute, float.NaN, float.NaN, float.NaN);
                    writer.Write(value.Least);
                    writer.Write(value.Mean);
                    writer.Write(value.Greatest);
                }
            }
        }
        bytes.Position = countAt;
        writer.Write(count);
        writer.Flush();
        return [.. bytes.ToArray(), .. SHA256.HashData(bytes.ToArray())];
    }

    void Read(string path, long thisHour)
    {
        var length = new FileInfo(path).Length;
        if (length is < SHA256.HashSizeInBytes or > LargestFile)
            throw new InvalidDataException($"it has {length} bytes");
        var content = File.ReadAllBytes(path);
        var body = content.AsSpan(0, content.Length - SHA256.HashSizeInBytes);
        if (!SHA256.HashData(body).AsSpan().SequenceEqual(content.AsSpan(body.Length)))
            throw new InvalidDataException("its checksum is wrong");
        using var reader = new BinaryReader(new MemoryStream(content, 0, body.Length), Encoding.UTF8);
        if (Encoding.ASCII.GetString(reader.ReadBytes(Mark.Length)) != Mark)
            throw new InvalidDataException("it is of another version");
        var hour = reader.ReadInt64();
        // The place holds an hour of yesterday, or one from a wrong clock.
        if (hour > thisHour || hour < thisHour - 24)
            return;
        for (var count = reader.ReadInt32(); count > 0; count--)
        {
            var (device, metric) = (reader.ReadString(), Metric.IndexOf(reader.ReadString()));
            var values = new MinuteValue[MinutesPerHour];
            for (var i = 0; i < values.Length; i++)
                values[i] = new MinuteValue(hour * MinutesPerHour + i, reader.ReadSingle(), reader.ReadSingle(), reader.ReadSingle());
            if (metric >= 0)
                devices.Change(device, known => Restore(known, metric, values));
        }
    }

    static void Restore(Device device, int metric, IEnumerable<MinuteValue> values)
    {
        foreach (var value in values.Where(value => float.IsFinite(value.Mean)))
        {
            (device.Minutes[metric] ??= new MinuteRing()).Restore(value);
            device.Remember(DateTimeOffset.FromUnixTimeSeconds(value.Minute * 60));
        }
    }

    [LoggerMessage(
        EventId = 800,
        Level = LogLevel.Warning,
        Message = "{Path} is left out of the history: {Reason}. The charts have a gap of an hour; there is nothing to do."
    )]
    partial void LogUnreadable(string path, string reason);

    [LoggerMessage(
        EventId = 801,
        Level = LogLevel.Warning,
        Message = "{Path} could not be written: {Reason}. After the next start the charts are empty. Check the disk (df, dmesg)."
    )]
    partial void LogRefused(string path, string reason);
}
