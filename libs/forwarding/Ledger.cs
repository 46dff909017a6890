using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// Remembers which readings the replicas that share a data directory have stored, so that a reading that arrives again (redelivered by the broker,
/// published again by its agent, to this replica or another) is stored once. It survives restarts and is bounded.
/// </summary>
/// <remarks>
/// <para>Why it is right. The journals are the truth; the ledger is an index of them. Whoever stores readings holds the ledger's lock from the look-up until
/// the readings are on disk and entered (<see cref="EnterAsync"/>), so no two replicas can decide on the same reading at once. A replica that dies in between
/// leaves its slot's name in the lock file; the next holder first enters what that slot's journal holds beyond its last entry. Waiting for another replica's
/// fsync costs little: they share one disk, and what arrives meanwhile forms a larger group.</para>
/// <para>Files. <c>ledger</c>: a 16-byte header ("THRMLDGR", generation, 8 bytes little-endian), then groups, each length (4 bytes), CRC-32C (4 bytes) and
/// entries; only the lock holder appends, all others read what was appended when they get the lock. Entries begin with a byte: 1 defines a stream (number,
/// kind, device id, boot id), 2 adds sequence numbers (stream, first, count), 3 says up to which offset of which slot's journal (slot, epoch, offset) the
/// ledger is complete, 4 forgets a slot (<see cref="LedgerEntries"/>). A torn tail (power cut) is cut: the slot positions in front of it say from where the
/// journals must be read again. Damage in front of a whole group costs what it covers (<see cref="Repair"/>). When the file has grown well beyond what it says, the holder writes it anew as the next generation.
/// <c>ledger.lock</c>: the flock; its first 8 bytes are the generation, then the name of the slot that holds it, or nothing.</para>
/// <para>Durability. Entries are not fsynced one by one: until a segment of a journal is reclaimed, it can repeat them. <see cref="Flush"/> is called before.</para>
/// Thread-safe through <see cref="EnterAsync"/>.
/// </remarks>
sealed partial class Ledger : IDisposable
{
    const int HeaderBytes = 16, GroupHeaderBytes = 8;

    /// <summary>Most ranges kept for one stream: what is older is forgotten, and would be stored again rather than lost.</summary>
    const int MaxRangesPerStream = 4096;

    /// <summary>Most ranges kept in all, about 16 bytes each; streams that were silent longest go first.</summary>
    const int MaxRanges = 262_144;

    /// <summary>The file is written anew when it is larger than this and four times what it would become.</summary>
    const long CompactionBytes = 1 << 20;

    /// <summary>A file that is written anew has groups of about this size, so that damage to one does not cost all.</summary>
    const int CompactedGroupBytes = 16 * 1024;

    /// <summary>Most bytes to compute checksums of in search of a whole group behind damage.</summary>
    const long SearchBudget = 256 << 20;

    static ReadOnlySpan<byte> Magic => "THRMLDGR"u8;

    readonly string path;
    readonly FileLock fileLock;
    readonly SemaphoreSlim gate = new(1, 1);
    readonly Func<string, string, long, IEnumerable<(Payload? Payload, long EndOffset)>> readJournal;
    readonly ILogger logger;
    readonly Dictionary<StreamKey, Stream> streams = [];
    readonly List<Stream?> numbered = [];
    readonly Dictionary<string, SlotPosition> slots = new(StringComparer.Ordinal);
    readonly ArrayBufferWriter<byte> pending = new();
    SafeFileHandle? file;
    ulong generation;
    long end;
    int totalRanges;
    long activity;
    string holder = "";
    bool isComplete;

    /// <param name="directory">Shared by all replicas of a service.</param>
    /// <param name="readJournal">Reads the messages of a slot's journal (slot, epoch, from offset) without its lock: what a dead replica may have left unentered.</param>
    /// <param name="logger">For what a person should know of repairs.</param>
    /// <exception cref="IOException">The directory cannot be used.</exception>
    public Ledger(string directory, Func<string, string, long, IEnumerable<(Payload? Payload, long EndOffset)>> readJournal, ILogger logger)
    {
        path = Path.Combine(directory, "ledger");
        this.readJournal = readJournal;
        this.logger = logger;
        try
        {
            fileLock = FileLock.Open(path + ".lock");
        }
        catch (IOException e)
        {
            throw Unusable(e);
        }
    }

    /// <summary>
    /// Takes the lock for a slot and brings this view up to date. The caller looks up, stores, then adds (<see cref="Add(in ReadingIdentity, ulong)"/>) and calls
    /// <see cref="Entry.Complete"/>; disposing without it (the store failed) leaves the ledger as others know it.
    /// </summary>
    /// <exception cref="IOException">The file cannot be used, or is of a later version. Damage is repaired and logged, not thrown.</exception>
    public async ValueTask<Entry> EnterAsync(string slot)
    {
        await gate.WaitAsync();
        try
        {
            await fileLock.TakeAsync();
            try
            {
                var (current, dead) = ReadLockFile();
                holder = dead;
                CatchUp(current);
                if (dead.Length > 0)
                    Recover(dead);
                holder = slot;
                WriteLockFile();
                isComplete = false;
                return new Entry(this);
            }
            catch (Exception e)
            {
                pending.ResetWrittenCount();
                Close();
                fileLock.Release();
                if (e is IOException or UnauthorizedAccessException)
                    throw Unusable(e);
                throw;
            }
        }
        catch
        {
            gate.Release();
            throw;
        }
    }

    /// <summary>Up to which offset (exclusive) of the slot's journal of that epoch the ledger is complete; null when it knows nothing of it. Only while entered.</summary>
    public long? Position(string slot, string epoch) => slots.TryGetValue(slot, out var position) && position.Epoch == epoch ? position.Offset : null;

    /// <summary>Whether any of the <paramref name="count"/> readings from this one on is stored already. Only while entered.</summary>
    public bool ContainsAny(in ReadingIdentity first, ulong count)
        => first.IsComplete && streams.TryGetValue(new(first.DeviceId, first.BootId, first.Kind), out var stream) && stream.Stored.Overlaps(first.Sequence, first.Sequence + count - 1);

    /// <summary>The identities of a message's readings, consecutive numbers as one run.</summary>
    public static List<(ReadingIdentity First, ulong Count)> Runs(Payload payload)
    {
        var runs = new List<(ReadingIdentity First, ulong Count)>(1);
        var (first, count) = (payload.Identity(0), 1UL);
        for (var i = 1; i < payload.Count; i++)
        {
            var next = payload.Identity(i);
            // Behind the highest number there is comes none, and 0 is no number: it must not hide those behind it.
            if (first.IsComplete && next.Sequence == first.Sequence + count && next.Sequence > first.Sequence && next.DeviceId == first.DeviceId && next.BootId == first.BootId)
            {
                count++;
                continue;
            }
            runs.Add((first, count));
            (first, count) = (next, 1);
        }
        runs.Add((first, count));
        return runs;
    }

    /// <summary>Notes that all readings of a message are stored, as the other does.</summary>
    public void Add(Payload payload)
    {
        foreach (var (first, count) in Runs(payload))
            Add(first, count);
    }

    /// <summary>Notes that the readings are stored. Only while entered, and seen by others once <see cref="Entry.Complete"/> is called.</summary>
    /// <exception cref="ArgumentOutOfRangeException">So many numbers do not follow the first one.</exception>
    public void Add(in ReadingIdentity first, ulong count)
    {
        if (!first.IsComplete || count == 0)
            return;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count - 1, ulong.MaxValue - first.Sequence, nameof(count));
        var stream = Find(new(first.DeviceId, first.BootId, first.Kind));
        Include(stream, first.Sequence, first.Sequence + count - 1);
        pending.WriteTag(2);
        pending.WriteNumber((ulong)stream.Number);
        pending.WriteNumber(first.Sequence);
        pending.WriteNumber(count);
    }

    /// <summary>Notes up to where the ledger is complete for a slot's journal. Only while entered.</summary>
    public void SetPosition(string slot, string epoch, long offset)
    {
        slots[slot] = new(epoch, offset);
        pending.WriteTag(3);
        pending.WriteText(slot);
        pending.WriteText(epoch);
        pending.WriteNumber((ulong)offset);
    }

    /// <summary>Notes that a slot has been retired. Only while entered.</summary>
    public void Forget(string slot)
    {
        if (!slots.Remove(slot))
            return;
        pending.WriteTag(4);
        pending.WriteText(slot);
    }

    /// <summary>
    /// Makes everything entered so far durable; needed before a journal forgets what it could repeat. Takes no lock: it is called while an append that
    /// waits for the reclaimed space may hold it.
    /// </summary>
    /// <returns>True; it throws when the disk refuses.</returns>
    public bool Flush()
    {
        // fsync is of the file, not of the handle: what other handles and other processes wrote is included.
        using var own = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        RandomAccess.FlushToDisk(own);
        return true;
    }

    public void Dispose()
    {
        file?.Dispose();
        fileLock.Dispose();
        gate.Dispose();
    }

    void Complete()
    {
        if (pending.WrittenCount > 0)
        {
            WriteGroup(file!, ref end, pending);
            if (end > CompactionBytes && end > 4 * EstimatedSize())
                Compact();
        }
        holder = "";
        WriteLockFile();
        isComplete = true;
    }

    void Leave()
    {
        // The store or Complete failed: what is noted in memory only must go, and streams may bear numbers that no file knows. The lock file still
        // names the slot, so whoever comes next reads from its journal what did get stored.
        if (!isComplete)
        {
            pending.ResetWrittenCount();
            Close();
        }
        fileLock.Release();
        gate.Release();
    }

    IOException Unusable(Exception e) => new(
        $"The ledger {path} cannot be used: {e.Message.TrimEnd('.')}. It and its directory must be readable and writable for user {Environment.UserName} and have free space.", e);

    void Recover(string dead)
    {
        // A slot without a position has not stored anything yet: its first act is to enter one.
        if (slots.TryGetValue(dead, out var position) && Repeat(dead, position.Epoch, position.Offset) is > 0 and var readings)
            LogRecovered(dead, readings);
        Complete();
    }

    /// <summary>Enters what a slot's journal holds from an offset on; returns how many readings that is.</summary>
    int Repeat(string slot, string epoch, long from)
    {
        var readings = 0;
        long? complete = null;
        foreach (var (payload, endOffset) in readJournal(slot, epoch, from))
        {
            if (payload is not null)
                Add(payload);
            readings += payload?.Count ?? 0;
            complete = endOffset;
        }
        if (complete is { } offset)
            SetPosition(slot, epoch, offset);
        return readings;
    }

    void CatchUp(ulong current)
    {
        var hasHeader = (file is not null && generation == current) || Reopen(current);
        var length = RandomAccess.GetLength(file!);
        if (length <= end && !hasHeader)
        {
            // New, or torn when it was made.
            if (length > 0)
                LogTornTail(path, 0, (int)length);
            WriteHeader(file!, generation);
            RandomAccess.SetLength(file!, HeaderBytes);
        }
        if (length <= end)
            return;
        var wanted = checked((int)(length - end));
        var buffer = ArrayPool<byte>.Shared.Rent(wanted);
        try
        {
            var from = end;
            var read = DurableFile.Read(file!, buffer.AsSpan(0, wanted), from);
            var used = Apply(buffer.AsSpan(0, read), out var damaged, out var firstDamaged);
            end = from + used;
            var tail = read - used;
            if (!hasHeader)
                Repair(0, HeaderBytes + damaged + tail);
            else if (damaged > 0)
                Repair(from + firstDamaged, damaged + tail);
            else if (tail > 0)
            {
                // Only the lock holder writes and we are it, so this is a tail that a power cut or a kill tore.
                LogTornTail(path, end, tail);
                RandomAccess.SetLength(file!, end);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <returns>Whether the file has its header.</returns>
    bool Reopen(ulong current)
    {
        Close();
        file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        Span<byte> header = stackalloc byte[HeaderBytes];
        var isWhole = DurableFile.Read(file, header, 0) == HeaderBytes && header.StartsWith(Magic);
        generation = isWhole ? BinaryPrimitives.ReadUInt64LittleEndian(header[8..]) : current;
        end = HeaderBytes;
        return isWhole;
    }

    /// <summary>
    /// Goes on after damage that is not a torn tail: keeps the file for a person, enters what the journals can repeat of what was lost, and writes anew what
    /// is known. The slots' positions are no reason to read less of a journal: what they promise may be what was lost.
    /// </summary>
    void Repair(long position, int damaged)
    {
        string kept;
        try
        {
            kept = Quarantine.KeepCopy(path, string.Create(CultureInfo.InvariantCulture, $"ledger-{generation}-{position}.damaged"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            kept = $"nothing ({e.Message})";
        }
        var repeated = slots.ToList().Sum(slot => Repeat(slot.Key, slot.Value.Epoch, 0));
        pending.ResetWrittenCount();
        Compact();
        LogDamaged(path, damaged, position, repeated, kept);
    }

    void Close()
    {
        file?.Dispose();
        file = null;
        streams.Clear();
        numbered.Clear();
        slots.Clear();
        totalRanges = 0;
        generation = 0;
        end = 0;
    }

    /// <summary>Applies the whole groups; returns where the last of them ends.</summary>
    /// <param name="bytes">What follows the last known group.</param>
    /// <param name="damaged">Bytes in front of a whole group that are in none.</param>
    /// <param name="firstDamaged">Where the first of them is.</param>
    int Apply(ReadOnlySpan<byte> bytes, out int damaged, out int firstDamaged)
    {
        (damaged, firstDamaged) = (0, -1);
        var used = 0;
        while (used < bytes.Length)
        {
            if (!TryReadGroup(bytes[used..], out var body))
            {
                // Damage if a whole group follows, and else the torn end.
                var next = FindGroup(bytes, used);
                if (next < 0)
                    break;
                firstDamaged = firstDamaged < 0 ? used : firstDamaged;
                damaged += next - used;
                used = next;
                continue;
            }
            if (!TryApply(body, isTrial: true))
                throw new IOException("it has entries of a later version; use the release that wrote it");
            TryApply(body, isTrial: false);
            used += GroupHeaderBytes + body.Length;
        }
        return used;
    }

    /// <summary>Where the next whole group behind a damaged one is, the end when the search would take too long; -1 if there is none.</summary>
    int FindGroup(ReadOnlySpan<byte> bytes, int damaged)
    {
        // Changed entries leave the group's own length right: its neighbour is where it should be.
        TryReadGroup(bytes[damaged..], out var body);
        var neighbour = damaged + GroupHeaderBytes + body.Length;
        if (body.Length > 0 && TryReadGroup(bytes[neighbour..], out body) && TryApply(body, isTrial: true))
            return neighbour;
        var work = 0L;
        for (var at = damaged + 1; at < bytes.Length; at++)
        {
            if (TryReadGroup(bytes[at..], out body) && TryApply(body, isTrial: true))
                return at;
            work += body.Length;
            if (work > SearchBudget)
                return bytes.Length;
        }
        return -1;
    }

    /// <summary>False when no group begins here; <paramref name="body"/> is then what was looked at.</summary>
    static bool TryReadGroup(ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> body)
    {
        body = default;
        // Zeros, as a power cut leaves them, have the right checksum for nothing.
        if (bytes.Length <= GroupHeaderBytes || BinaryPrimitives.ReadUInt32LittleEndian(bytes) is var length && (length == 0 || length > (uint)(bytes.Length - GroupHeaderBytes)))
            return false;
        body = bytes.Slice(GroupHeaderBytes, (int)length);
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) == Crc32C.Compute(body);
    }

    /// <summary>Applies the entries of a group. False when it finds one it does not know; as a trial it changes nothing.</summary>
    bool TryApply(ReadOnlySpan<byte> body, bool isTrial)
    {
        var entries = new LedgerEntries.Reader(body);
        while (entries.TryReadTag(out var tag))
        {
            switch (tag)
            {
                case 1 when entries.TryReadNumber(out var number) && number <= (ulong)(numbered.Count + MaxRanges) && entries.TryReadNumber(out var kind)
                    && entries.TryReadText(out var deviceId) && entries.TryReadText(out var bootId):
                    if (!isTrial)
                        Define(new StreamKey(deviceId, bootId, (ReadingKind)kind), (int)number);
                    break;
                case 2 when entries.TryReadNumber(out var number) && entries.TryReadNumber(out var first) && entries.TryReadNumber(out var count):
                    if (isTrial || number >= (ulong)numbered.Count || numbered[(int)number] is not { } stream)
                        break;
                    if (count > 0 && count - 1 <= ulong.MaxValue - first)
                        Include(stream, first, first + (count - 1));
                    else
                        LogImpossible(path, first, count, stream.Key.DeviceId, stream.Key.BootId);
                    break;
                case 3 when entries.TryReadText(out var slot) && entries.TryReadText(out var epoch) && entries.TryReadNumber(out var offset):
                    if (!isTrial)
                        slots[slot] = new(epoch, (long)offset);
                    break;
                case 4 when entries.TryReadText(out var retired):
                    if (!isTrial)
                        slots.Remove(retired);
                    break;
                default:
                    return false;
            }
        }
        return true;
    }

    Stream Find(StreamKey key)
    {
        if (streams.TryGetValue(key, out var stream))
            return stream;
        stream = Define(key, numbered.Count);
        WriteDefinition(pending, stream);
        return stream;
    }

    Stream Define(StreamKey key, int number)
    {
        // Another replica may have forgotten a stream that this one still knows, and defined it again.
        if (streams.TryGetValue(key, out var stream))
            stream.Number = number;
        else
            streams[key] = stream = new Stream(key, number);
        while (numbered.Count <= number)
            numbered.Add(null);
        numbered[number] = stream;
        return stream;
    }

    void Include(Stream stream, ulong first, ulong last)
    {
        var before = stream.Stored.Count;
        stream.Stored.Add(first, last);
        stream.Stored.Trim(MaxRangesPerStream);
        stream.LastUsed = ++activity;
        totalRanges += stream.Stored.Count - before;
        if (totalRanges > MaxRanges)
            ForgetSilent(stream);
    }

    void ForgetSilent(Stream spare)
    {
        foreach (var stream in streams.Values.OrderBy(stream => stream.LastUsed).ToList())
        {
            if (totalRanges <= MaxRanges * 3 / 4)
                return;
            if (stream == spare)
                continue;
            totalRanges -= stream.Stored.Count;
            streams.Remove(stream.Key);
            numbered[stream.Number] = null;
        }
    }

    long EstimatedSize() => HeaderBytes + streams.Keys.Sum(key => 32L + key.DeviceId.Length + key.BootId.Length) + totalRanges * 12L;

    void Compact()
    {
        var next = path + ".next";
        var replacement = File.OpenHandle(next, FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        var size = (long)HeaderBytes;
        WriteHeader(replacement, generation + 1);
        var renumbered = streams.Values.OrderBy(stream => stream.LastUsed).ToList();
        var body = new ArrayBufferWriter<byte>();
        numbered.Clear();
        foreach (var stream in renumbered)
        {
            stream.Number = numbered.Count;
            numbered.Add(stream);
            WriteDefinition(body, stream);
            foreach (var (first, last) in stream.Stored.Ranges)
            {
                if (body.WrittenCount >= CompactedGroupBytes)
                {
                    WriteGroup(replacement, ref size, body);
                    WriteDefinition(body, stream);
                }
                body.WriteTag(2);
                body.WriteNumber((ulong)stream.Number);
                body.WriteNumber(first);
                body.WriteNumber(last - first + 1);
            }
        }
        foreach (var (slot, position) in slots)
        {
            body.WriteTag(3);
            body.WriteText(slot);
            body.WriteText(position.Epoch);
            body.WriteNumber((ulong)position.Offset);
        }
        WriteGroup(replacement, ref size, body);
        RandomAccess.FlushToDisk(replacement);
        file!.Dispose();
        (file, generation, end) = (replacement, generation + 1, size);
        // First the announcement, then the fact: others that find the number changed look at the file again, whichever it is.
        WriteLockFile();
        File.Move(next, path, overwrite: true);
        DurableFile.FlushDirectory(Path.GetDirectoryName(path)!);
    }

    (ulong Generation, string Holder) ReadLockFile()
    {
        Span<byte> content = stackalloc byte[128];
        var read = RandomAccess.Read(fileLock.Handle, content, 0);
        return read < 9 ? (0, "") : (BinaryPrimitives.ReadUInt64LittleEndian(content), Encoding.UTF8.GetString(content.Slice(9, Math.Min(content[8], read - 9))));
    }

    void WriteLockFile()
    {
        Span<byte> content = stackalloc byte[128];
        BinaryPrimitives.WriteUInt64LittleEndian(content, generation);
        content[8] = (byte)Encoding.UTF8.GetBytes(holder, content[9..]);
        RandomAccess.Write(fileLock.Handle, content[..(9 + content[8])], 0);
    }

    static void WriteHeader(SafeFileHandle target, ulong number)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt64LittleEndian(header[8..], number);
        RandomAccess.Write(target, header, 0);
    }

    /// <summary>Writes the entries, if there are any, and clears them.</summary>
    static void WriteGroup(SafeFileHandle target, ref long position, ArrayBufferWriter<byte> entries)
    {
        if (entries.WrittenCount == 0)
            return;
        var body = entries.WrittenSpan;
        var group = ArrayPool<byte>.Shared.Rent(GroupHeaderBytes + body.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(group, (uint)body.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(group.AsSpan(4), Crc32C.Compute(body));
        body.CopyTo(group.AsSpan(GroupHeaderBytes));
        RandomAccess.Write(target, group.AsSpan(0, GroupHeaderBytes + body.Length), position);
        position += GroupHeaderBytes + body.Length;
        ArrayPool<byte>.Shared.Return(group);
        entries.ResetWrittenCount();
    }

    static void WriteDefinition(ArrayBufferWriter<byte> target, Stream stream)
    {
        target.WriteTag(1);
        target.WriteNumber((ulong)stream.Number);
        target.WriteNumber((ulong)stream.Key.Kind);
        target.WriteText(stream.Key.DeviceId);
        target.WriteText(stream.Key.BootId);
    }

    [LoggerMessage(EventId = 110, Level = LogLevel.Warning, Message = "{Slot} stopped while storing; entered {Readings} readings of its journal into the ledger")]
    partial void LogRecovered(string slot, int readings);

    [LoggerMessage(EventId = 111, Level = LogLevel.Warning, Message = "{Path} ends torn at byte {Position}; cut {Bytes} bytes, the journals repeat what they said")]
    partial void LogTornTail(string path, long position, int bytes);

    // Earlier versions wrote such an entry for a message whose numbers went over the end of the numbers.
    [LoggerMessage(EventId = 113, Level = LogLevel.Warning, Message =
        "{Path} names {Count} readings from number {First} on of device {Device}, boot {Boot}, which cannot be; that entry is left out: such a reading is stored again if it arrives again")]
    partial void LogImpossible(string path, ulong first, ulong count, string device, string boot);

    [LoggerMessage(EventId = 112, Level = LogLevel.Error, Message =
        "{Path} was damaged: {Bytes} bytes from byte {Position} on are not entries. What they said of stored readings is forgotten, except what the journals hold ({Repeated} "
        + "readings were entered from them); a reading that is forgotten and arrives again is stored twice. The file was written anew, and as it was it is kept as {Kept}. "
        + "Check the storage (dmesg, SD card), look at the file, then delete it")]
    partial void LogDamaged(string path, int bytes, long position, int repeated, string kept);

    /// <summary>The time during which the ledger is held.</summary>
    public readonly struct Entry(Ledger ledger) : IDisposable
    {
        /// <summary>What was added is true: show it to the others.</summary>
        /// <exception cref="IOException">The file cannot be used.</exception>
        public void Complete()
        {
            try
            {
                ledger.Complete();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw ledger.Unusable(e);
            }
        }

        public void Dispose() => ledger.Leave();
    }

    readonly record struct StreamKey(string DeviceId, string BootId, ReadingKind Kind);

    sealed class Stream(StreamKey key, int number)
    {
        public StreamKey Key { get; } = key;

        public int Number { get; set; } = number;

        public RangeSet Stored { get; } = new();

        public long LastUsed { get; set; }
    }

    sealed record SlotPosition(string Epoch, long Offset);
}
