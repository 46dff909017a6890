using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// What could not be read, or was refused by the destination, and why: NDJSON files under <c>dead-letters/</c> of the data directory, listed and replayed by
/// the verb <c>dead-letters</c>. The oldest files go when all together exceed their cap. Thread-safe.
/// </summary>
/// <remarks>
/// One line is <c>{"at", "received_at", "reason", "topic", "content_type", "readings", "payload"}</c>, the payload in base64. Readings that were given an
/// identity when they were stored carry it as <c>"boot_id"</c> and <c>"sequence"</c>; refused readings also carry their row as <c>"row"</c>, for people. A file is <c>{time}-{random}.ndjson</c>; each process writes its own, and has it open only while it writes: at any other time
/// a replay, another replica's cap or a person may take it away, and the next letter begins a new one.
/// </remarks>
public sealed partial class DeadLetters
{
    const long MaxFileBytes = 8 * 1024 * 1024;

    /// <summary>A flood of letters goes to disk in pieces of about this size.</summary>
    const int FlushBytes = 1024 * 1024;

    readonly string directory;
    readonly long maxBytes;
    readonly long fileBytes;
    readonly TimeProvider clock;
    readonly ILogger logger;
    readonly Lock gate = new();
    readonly ArrayBufferWriter<byte> pending = new();
    string? path;
    long length;
    long count;

    /// <param name="directory">Where the files are; made when the first letter comes.</param>
    /// <param name="maxBytes">Cap of all files together.</param>
    /// <param name="clock">For the time in the letters.</param>
    /// <param name="logger">Hears of files deleted by the cap.</param>
    public DeadLetters(string directory, long maxBytes, TimeProvider clock, ILogger logger)
    {
        this.directory = directory;
        this.maxBytes = maxBytes;
        fileBytes = Math.Min(MaxFileBytes, maxBytes / 4);
        this.clock = clock;
        this.logger = logger;
    }

    /// <summary>Readings, or messages that could not be read, kept since the start.</summary>
    public long Count => Interlocked.Read(ref count);

    /// <summary>Directory of the files.</summary>
    public string Directory => directory;

    /// <summary>Where a file is put so that a running service takes its letters in again.</summary>
    public static string ReplayDirectory(string directory) => Path.Combine(directory, "replay");

    /// <summary>Whether so much waits for <see cref="Flush"/> that memory should not hold more.</summary>
    bool IsFlushDue => pending.WrittenCount >= FlushBytes;

    /// <summary>Keeps readings that the destination refused. Returns when they are on disk.</summary>
    /// <param name="reason">Why, with the destination's own words.</param>
    /// <param name="readings">The readings, or those among which the refused ones are.</param>
    /// <returns>How many those were.</returns>
    /// <exception cref="IOException">The disk refused; the first of them may be kept. Call again.</exception>
    public int Add(string reason, IEnumerable<BatchReading> readings)
    {
        lock (gate)
        {
            // While the disk refuses, each further try would add to what waits in memory.
            Flush();
            var kept = 0;
            foreach (var reading in readings)
            {
                var identity = reading.Payload.Identity(reading.Index);
                var payload = reading.Payload.Select([reading.Index]);
                var letter = new DeadLetter(reason, Topics.Readings(identity.DeviceId, identity.Kind), IsJson(payload) ? Payload.JsonContentType : Payload.ProtobufContentType, 1, payload)
                {
                    ReceivedAt = reading.Payload.ReceivedAt,
                    Assigned = reading.Payload.HasOwnIdentity(reading.Index) || !identity.IsComplete ? null : new(identity.BootId, identity.Sequence),
                };
                Write(letter, reading);
                kept++;
                if (IsFlushDue)
                    Flush();
            }
            Flush();
            return kept;
        }
    }

    /// <summary>Keeps a letter, at the present time. It is on disk after <see cref="Flush"/>.</summary>
    public void Add(DeadLetter letter)
    {
        lock (gate)
            Write(letter, null);
    }

    /// <summary>Brings what was added to disk.</summary>
    /// <exception cref="IOException">The disk refused; the letters are kept in memory for the next call.</exception>
    public void Flush()
    {
        lock (gate)
        {
            if (pending.WrittenCount == 0)
                return;
            try
            {
                using var file = Continue() ?? Begin();
                RandomAccess.Write(file, pending.WrittenSpan, length);
                RandomAccess.FlushToDisk(file);
                if (length == 0)
                    DurableFile.FlushDirectory(directory);
            }
            catch (UnauthorizedAccessException e)
            {
                throw new IOException(e.Message, e);
            }
            length += pending.WrittenCount;
            pending.ResetWrittenCount();
        }
    }

    /// <summary>Reads every letter, oldest file first. A line that is not a letter is left out.</summary>
    public static IEnumerable<DeadLetter> ReadAll(string directory)
        => Files(directory).SelectMany(Read);

    /// <summary>The files, oldest first.</summary>
    public static IReadOnlyList<string> Files(string directory)
        => System.IO.Directory.Exists(directory) ? [.. System.IO.Directory.EnumerateFiles(directory, "*.ndjson").Order(StringComparer.Ordinal)] : [];

    /// <summary>Reads the letters of one file.</summary>
    public static IEnumerable<DeadLetter> Read(string path)
    {
        foreach (var line in File.ReadLines(path))
        {
            if (DeadLetter.TryParse(line, out var letter))
                yield return letter;
        }
    }

    /// <summary>False while a process writes to the file, and when there is none. No one comes back to a file that has been moved.</summary>
    internal static bool IsAtRest(string path)
    {
        try
        {
            using var alone = OpenAlone(path);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    static SafeFileHandle OpenAlone(string path) => File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.None);

    static bool IsJson(byte[] payload) => PayloadFormat.IsJson(payload, null, out _);

    void Write(DeadLetter letter, BatchReading? row)
    {
        using (var json = new Utf8JsonWriter(pending))
        {
            json.WriteStartObject();
            json.WriteString("at"u8, clock.GetUtcNow());
            if (letter.ReceivedAt is { } receivedAt)
                json.WriteString("received_at"u8, receivedAt);
            json.WriteString("reason"u8, letter.Reason);
            json.WriteString("topic"u8, letter.Topic);
            json.WriteString("content_type"u8, letter.ContentType);
            json.WriteNumber("readings"u8, letter.Readings);
            if (letter.Assigned is { } assigned)
            {
                json.WriteString("boot_id"u8, assigned.BootId);
                json.WriteNumber("sequence"u8, assigned.FirstSequence);
            }
            json.WriteBase64String("payload"u8, letter.Payload.Span);
            if (row is { } reading)
            {
                var written = new ArrayBufferWriter<byte>();
                reading.Payload.WriteRow(reading.Index, written, new RowStamp(clock.GetUtcNow(), ""), reading.Offset);
                json.WritePropertyName("row"u8);
                json.WriteRawValue(written.WrittenSpan);
            }
            json.WriteEndObject();
        }
        pending.Write("\n"u8);
        Interlocked.Increment(ref count);
    }

    /// <summary>Opens the current file for more; null when a new one is to be begun.</summary>
    SafeFileHandle? Continue()
    {
        if (path is null || length + pending.WrittenCount > fileBytes)
            return null;
        try
        {
            // Shared with readers: whoever wants the file alone waits, or was faster, and then it is not under its name any more.
            var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.Read);
            if (File.Exists(path))
                return file;
            file.Dispose();
        }
        catch (IOException)
        {
            // Taken away, or just being so.
        }
        return null;
    }

    SafeFileHandle Begin()
    {
        System.IO.Directory.CreateDirectory(directory);
        MakeRoom();
        path = Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"{clock.GetUtcNow():yyyyMMddTHHmmssfff}-{Random.Shared.Next():x8}.ndjson"));
        length = 0;
        return File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
    }

    /// <summary>Deletes the oldest files until another one fits under the cap.</summary>
    void MakeRoom()
    {
        var files = Files(directory).Select(path => new FileInfo(path)).Where(info => info.Exists).Select(info => (info.FullName, info.Length)).ToList();
        var total = files.Sum(file => file.Length);
        foreach (var (oldest, bytes) in files)
        {
            if (total <= maxBytes - fileBytes)
                return;
            try
            {
                // A file that another replica writes to at this moment is not old, whatever its name says.
                using var alone = OpenAlone(oldest);
                File.Delete(oldest);
                total -= bytes;
                LogDropped(oldest, bytes, maxBytes);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                LogNotDropped(oldest, maxBytes, e.Message);
            }
        }
    }

    [LoggerMessage(EventId = 120, Level = LogLevel.Error, Message = "Deleted {Path} ({Bytes} bytes of dead letters): all together exceeded DEAD_LETTERS_MAX_BYTES={Cap}")]
    partial void LogDropped(string path, long bytes, long cap);

    [LoggerMessage(EventId = 121, Level = LogLevel.Warning, Message = "{Path} could not be deleted although all dead letters together exceed DEAD_LETTERS_MAX_BYTES={Cap}: {Reason}")]
    partial void LogNotDropped(string path, long cap, string reason);
}
