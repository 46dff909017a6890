using System.Buffers;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// Keeps messages that could not be read, readings that the destination refused, and the names of files that it did not load, with the
/// reason. They are NDJSON files under <c>dead-letters/</c> of the data directory; the verb <c>dead-letters</c> lists and replays them.
/// Each origin has a share of the cap, and within it the device that holds most loses its oldest file first
/// (<see cref="DeadLetterBudget"/>). Thread-safe.
/// </summary>
/// <remarks>
/// One line is <c>{"at", "received_at", "reason", "topic", "content_type", "readings", "payload"}</c>, the payload in base64. Readings that
/// were given an identity when they were stored carry it as <c>"boot_id"</c> and <c>"sequence"</c>; refused readings also carry their row
/// as <c>"row"</c>, for people. A file holds the letters of one origin and device (<see cref="DeadLetterOwner"/>). Each process writes its
/// own files, and has a file open only while it writes. At any other time a replay, another replica or a person may take the file away; the
/// next letter then begins a new one.
/// </remarks>
public sealed class DeadLetters
{
    /// <summary>Devices of an origin whose letters get a file of their own in one flush; the others share one. Bounds the fsyncs.</summary>
    internal const int MaxPendingDevices = 8;

    /// <summary>A flood of letters goes to disk in pieces of about this size.</summary>
    const int FlushBytes = 1024 * 1024;

    readonly string directory;
    readonly DeadLetterBudget budget;
    readonly KeptLetters kept;
    readonly TimeProvider clock;
    readonly Lock gate = new();
    readonly Dictionary<DeadLetterOwner, ArrayBufferWriter<byte>> pending = [];

    /// <summary>The file that each owner's next letters go to, and how long it is.</summary>
    readonly Dictionary<DeadLetterOwner, (string Path, long Length)> current = [];

    /// <summary>The earliest time that the name of the next file may have.</summary>
    DateTimeOffset nextName;
    long count;

    /// <param name="directory">Where the files are; made when the first letter comes.</param>
    /// <param name="maxBytes">Cap of all files together; each origin may hold half of it.</param>
    /// <param name="clock">For the time in the letters.</param>
    /// <param name="logger">Logs files deleted for the cap.</param>
    public DeadLetters(string directory, long maxBytes, TimeProvider clock, ILogger logger)
    {
        this.directory = directory;
        this.clock = clock;
        budget = new DeadLetterBudget(directory, maxBytes, logger);
        kept = new KeptLetters(directory);
    }

    /// <summary>Letters that this process has made, since its start.</summary>
    public long Count => Interlocked.Read(ref count);

    /// <summary>Letters in the files, from all processes.</summary>
    public long Kept => kept.Count;

    /// <summary>Letters that were deleted because their origin exceeded its share of the cap, since the start.</summary>
    public long Deleted(DeadLetterOrigin origin) => budget.Deleted(origin);

    /// <summary>Directory of the files.</summary>
    public string Directory => directory;

    /// <summary>Where a file is put so that a running service takes its letters in again.</summary>
    public static string ReplayDirectory(string directory) => Path.Combine(directory, "replay");

    /// <summary>Whether so many bytes wait for <see cref="Flush"/> that memory should hold no more.</summary>
    bool IsFlushDue =>
        pending.Values.Sum(letters => (long)letters.WrittenCount) >= Math.Min(FlushBytes, budget.FileBytes(DeadLetterOrigin.Refused));

    /// <summary>Keeps readings that the destination refused. Returns when they are on disk.</summary>
    /// <param name="reason">Why, with the destination's own words.</param>
    /// <param name="readings">The refused readings, or readings that include them.</param>
    /// <returns>How many readings that were.</returns>
    /// <exception cref="IOException">The disk refused; some may be kept already. Call again.</exception>
    public int Add(string reason, IEnumerable<BatchReading> readings)
    {
        lock (gate)
        {
            // While the disk refuses, each further attempt would add letters in memory.
            Flush();
            var kept = 0;
            foreach (var reading in readings)
            {
                var identity = reading.Payload.Identity(reading.Index);
                var payload = reading.Payload.Select([reading.Index]);
                var letter = new DeadLetter(
                    reason,
                    Topics.Readings(identity.DeviceId, identity.Kind),
                    IsJson(payload) ? Payload.JsonContentType : Payload.ProtobufContentType,
                    1,
                    payload
                )
                {
                    ReceivedAt = reading.Payload.ReceivedAt,
                    Assigned =
                        reading.Payload.HasOwnIdentity(reading.Index) || !identity.IsComplete
                            ? null
                            : new(identity.BootId, identity.Sequence),
                };
                Write(letter, DeadLetterOrigin.Refused, reading);
                kept++;
                if (IsFlushDue)
                    Flush();
            }
            Flush();
            return kept;
        }
    }

    /// <summary>Keeps a letter, at the present time. It is on disk after <see cref="Flush"/>.</summary>
    public void Add(DeadLetter letter, DeadLetterOrigin origin)
    {
        lock (gate)
            Write(letter, origin, null);
    }

    /// <summary>Writes the added letters to disk.</summary>
    /// <exception cref="IOException">The disk refused; the letters are kept in memory for the next call.</exception>
    public void Flush()
    {
        lock (gate)
        {
            if (pending.Count == 0)
                return;
            try
            {
                foreach (var origin in pending.Keys.GroupBy(owner => owner.Origin).ToList())
                    Save(origin.Key, [.. origin]);
            }
            catch (UnauthorizedAccessException e)
            {
                throw new IOException(e.Message, e);
            }
        }
    }

    /// <summary>Reads every letter, oldest file first. A line that is not a letter is left out.</summary>
    public static IEnumerable<DeadLetter> ReadAll(string directory) => Files(directory).SelectMany(Read);

    /// <summary>The files, oldest first.</summary>
    public static IReadOnlyList<string> Files(string directory) =>
        System.IO.Directory.Exists(directory)
            ? [.. System.IO.Directory.EnumerateFiles(directory, "*.ndjson").Order(StringComparer.Ordinal)]
            : [];

    /// <summary>Reads the letters of one file.</summary>
    public static IEnumerable<DeadLetter> Read(string path)
    {
        foreach (var line in File.ReadLines(path))
        {
            if (DeadLetter.TryParse(line, out var letter))
                yield return letter;
        }
    }

    /// <summary>
    /// Whether the file exists and no process is writing to it. No process writes to a file again once it has been moved.
    /// </summary>
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

    internal static SafeFileHandle OpenAlone(string path) => File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.None);

    static bool IsJson(byte[] payload) => PayloadFormat.IsJson(payload, null, out _);

    void Write(DeadLetter letter, DeadLetterOrigin origin, BatchReading? row)
    {
        var lines = PendingOf(DeadLetterOwner.Of(origin, letter.Sender ?? letter.Topic));
        using (var json = new Utf8JsonWriter(lines))
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
        lines.Write("\n"u8);
        Interlocked.Increment(ref count);
    }

    ArrayBufferWriter<byte> PendingOf(DeadLetterOwner owner)
    {
        var own = pending.Keys.Count(other => other.Origin == owner.Origin && !other.IsOthers);
        if (own >= MaxPendingDevices && !pending.ContainsKey(owner))
            owner = owner.Others();
        return pending.TryGetValue(owner, out var lines) ? lines : pending[owner] = new ArrayBufferWriter<byte>();
    }

    /// <summary>
    /// Writes the letters of one origin to disk. Letters on disk are no longer pending, even if the disk refuses the rest.
    /// </summary>
    void Save(DeadLetterOrigin origin, IReadOnlyList<DeadLetterOwner> owners)
    {
        System.IO.Directory.CreateDirectory(directory);
        var known = budget.MakeRoom(origin, owners.ToDictionary(owner => owner.Device, owner => (long)pending[owner].WrittenCount));
        // Forgets devices whose files are gone, so that the dictionary stays small.
        foreach (var gone in current.Keys.Where(owner => owner.Origin == origin && !known.Contains(owner.Device)).ToList())
            current.Remove(gone);
        foreach (var owner in owners)
        {
            var isOwn = known.Contains(owner.Device) || known.Count < DeadLetterBudget.MaxDevices;
            if (isOwn)
                known.Add(owner.Device);
            Append(isOwn ? owner : owner.Others(), pending[owner].WrittenSpan);
            pending.Remove(owner);
        }
    }

    void Append(DeadLetterOwner owner, ReadOnlySpan<byte> lines)
    {
        using var file = Continue(owner, lines.Length) ?? Begin(owner);
        var (path, length) = current[owner];
        RandomAccess.Write(file, lines, length);
        RandomAccess.FlushToDisk(file);
        if (length == 0)
            DurableFile.FlushDirectory(directory);
        current[owner] = (path, length + lines.Length);
    }

    /// <summary>Opens the owner's current file for more; null when a new one has to begin.</summary>
    SafeFileHandle? Continue(DeadLetterOwner owner, int bytes)
    {
        if (!current.TryGetValue(owner, out var last) || last.Length + bytes > budget.FileBytes(owner.Origin))
            return null;
        try
        {
            // Shared with readers. A replay that wants the file alone waits, or has renamed it already.
            var file = File.OpenHandle(last.Path, FileMode.Open, FileAccess.Write, FileShare.Read);
            if (File.Exists(last.Path))
                return file;
            file.Dispose();
        }
        catch (IOException)
        {
            // The file was taken away, or is being taken away.
        }
        return null;
    }

    SafeFileHandle Begin(DeadLetterOwner owner)
    {
        // Names sort by their milliseconds; two files begun in the same one would be in no fixed order.
        var now = clock.GetUtcNow();
        if (now <= nextName && nextName - now < TimeSpan.FromSeconds(1))
            now = nextName;
        nextName = now.AddMilliseconds(1);
        var path = Path.Combine(directory, owner.NewFileName(now));
        var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        current[owner] = (path, 0);
        return file;
    }
}
