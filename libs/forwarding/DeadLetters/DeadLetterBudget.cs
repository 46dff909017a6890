using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// Keeps the dead letters of each origin within its share of the cap. While an origin exceeds it, the device that holds most loses its
/// oldest file: a device that floods loses its own letters, not those of others. Not thread-safe; replicas may share the directory.
/// </summary>
/// <param name="directory">Where the files are.</param>
/// <param name="maxBytes">Cap of unread messages and refused readings together; letters about files come on top.</param>
/// <param name="logger">Logs each deleted file.</param>
sealed partial class DeadLetterBudget(string directory, long maxBytes, ILogger logger)
{
    /// <summary>Devices of an origin that have files of their own; the letters of further devices share files.</summary>
    public const int MaxDevices = 64;

    /// <summary>A file counts as at least this fraction of the budget, so no origin has more files, however small they are.</summary>
    public const int MaxFiles = 256;

    const long MaxFileBytes = 8 * 1024 * 1024;

    readonly long[] deleted = new long[3];

    /// <summary>Size at which a file of an origin is complete. A device that fills the budget loses a quarter of it at a time.</summary>
    public long FileBytes(DeadLetterOrigin origin) => Math.Min(MaxFileBytes, Budget(origin) / 4);

    /// <summary>Letters that were deleted because their origin exceeded its budget, since the start.</summary>
    public long Deleted(DeadLetterOrigin origin) => Interlocked.Read(ref deleted[(int)origin]);

    /// <summary>Deletes files of an origin until the pending letters fit.</summary>
    /// <param name="origin">Whose budget.</param>
    /// <param name="pending">Bytes by device that are about to be written.</param>
    /// <returns>The devices that have files of their own.</returns>
    public HashSet<string> MakeRoom(DeadLetterOrigin origin, IReadOnlyDictionary<string, long> pending)
    {
        var holders = new Dictionary<string, Holder>(StringComparer.Ordinal);
        foreach (var (device, bytes) in pending)
            HolderOf(device).Bytes += bytes;
        foreach (var file in DeadLetters.Files(directory).Select(path => new FileInfo(path)))
        {
            var owner = DeadLetterOwner.OfFile(file.Name);
            // Another replica may have deleted it since.
            if (owner.Origin != origin || !file.Exists)
                continue;
            var bytes = Math.Max(file.Length, Budget(origin) / MaxFiles);
            HolderOf(owner.Device).Bytes += bytes;
            HolderOf(owner.Device).Files.Enqueue((file.FullName, bytes));
        }
        var total = holders.Values.Sum(holder => holder.Bytes);
        while (total > Budget(origin))
        {
            var most = holders.Values.MaxBy(holder => holder.Bytes)!;
            // The letters that this device is about to write exceed, on their own, every other device's share. It loses them the next time.
            if (!most.Files.TryDequeue(out var oldest))
                break;
            most.Bytes -= oldest.Bytes;
            if (TryDelete(oldest.Path, origin))
                total -= oldest.Bytes;
        }
        return [.. holders.Where(holder => holder.Value.Files.Count > 0).Select(holder => holder.Key)];

        Holder HolderOf(string device) => holders.TryGetValue(device, out var holder) ? holder : holders[device] = new Holder();
    }

    /// <summary>Bytes that the letters of one origin may take.</summary>
    long Budget(DeadLetterOrigin origin) => origin == DeadLetterOrigin.Unloaded ? maxBytes / 16 : maxBytes / 2;

    bool TryDelete(string path, DeadLetterOrigin origin)
    {
        try
        {
            // A file that another replica is writing to stays.
            using var alone = DeadLetters.OpenAlone(path);
            // Another replica may have deleted it between the opening and the lock: then its letters are counted there.
            if (!File.Exists(path))
                return true;
            var bytes = RandomAccess.GetLength(alone);
            var (letters, topic) = Survey(alone);
            File.Delete(path);
            var total = Interlocked.Add(ref deleted[(int)origin], letters);
            var sender = DeadLetterOwner.OfFile(path).IsOthers ? "several devices" : topic;
            LogDeleted(letters, bytes, DeadLetterOwner.NameOf(origin), sender, path, maxBytes, total);
            return true;
        }
        catch (FileNotFoundException)
        {
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogNotDeleted(path, maxBytes, e.Message);
            return false;
        }
    }

    /// <summary>
    /// How many lines the file has, without the blank lines of letters that were picked out, and the topic of its first letter if it can be
    /// read.
    /// </summary>
    static (long Letters, string Topic) Survey(SafeFileHandle file)
    {
        var (letters, topic, isBlank) = (0L, "", true);
        var buffer = new byte[64 * 1024];
        for (long position = 0; RandomAccess.Read(file, buffer, position) is > 0 and var read; position += read)
        {
            if (position == 0)
                topic = TopicOf(buffer.AsSpan(0, read));
            foreach (var letter in buffer.AsSpan(0, read))
            {
                if (letter == '\n')
                    (letters, isBlank) = (letters + (isBlank ? 0 : 1), true);
                else if (letter != ' ')
                    isBlank = false;
            }
        }
        return (letters, topic);
    }

    static string TopicOf(ReadOnlySpan<byte> begin)
    {
        try
        {
            var json = new Utf8JsonReader(begin, isFinalBlock: false, default);
            while (json.Read())
            {
                if (json.TokenType == JsonTokenType.PropertyName && json.ValueTextEquals("topic"u8) && json.Read())
                    return json.GetString() ?? "";
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // A line that is not a letter does not prevent the file's deletion.
        }
        return "an unknown topic";
    }

    [LoggerMessage(
        EventId = 120,
        Level = LogLevel.Error,
        Message = "Deleted {Letters} dead letters ({Bytes} bytes, {Origin}) of {Sender} with the file {Path}: letters of that origin "
            + "exceeded their share of DEAD_LETTERS_MAX_BYTES={Cap}, and this sender held most. {Total} have been deleted since the start. "
            + "Correct the sender or raise the cap; 'dead-letters list' shows the letters that are left"
    )]
    partial void LogDeleted(long letters, long bytes, string origin, string sender, string path, long cap, long total);

    [LoggerMessage(
        EventId = 121,
        Level = LogLevel.Warning,
        Message = "{Path} could not be deleted although its origin exceeds its share of DEAD_LETTERS_MAX_BYTES={Cap}: {Reason}"
    )]
    partial void LogNotDeleted(string path, long cap, string reason);

    /// <summary>What one device holds.</summary>
    sealed class Holder
    {
        public long Bytes { get; set; }

        /// <summary>Oldest first.</summary>
        public Queue<(string Path, long Bytes)> Files { get; } = new();
    }
}
