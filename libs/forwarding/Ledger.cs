using System.Buffers;
using System.Buffers.Binary;
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
/// ledger is complete, 4 forgets a slot. Numbers are varints, texts are a varint length and UTF-8. A torn tail (power cut) is cut: the slot positions in front
/// of it say from where the journals must be read again. When the file has grown well beyond what it says, the holder writes it anew as the next generation.
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

    static ReadOnlySpan<byte> Magic => "THRMLDGR"u8;

    readonly string path;
    readonly FileLock fileLock;
    readonly SemaphoreSlim gate = new(1, 1);
    readonly Func<string, string, long, IEnumerable<(Payload Payload, long EndOffset)>> readJournal;
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

    /// <param name="directory">Shared by all replicas of a service.</param>
    /// <param name="readJournal">Reads the messages of a slot's journal (slot, epoch, from offset) without its lock: what a dead replica may have left unentered.</param>
    /// <param name="logger">For what a person should know of repairs.</param>
    public Ledger(string directory, Func<string, string, long, IEnumerable<(Payload Payload, long EndOffset)>> readJournal, ILogger logger)
    {
        path = Path.Combine(directory, "ledger");
        this.readJournal = readJournal;
        this.logger = logger;
        fileLock = FileLock.Open(path + ".lock");
    }

    /// <summary>Streams remembered, for tests and figures.</summary>
    public int StreamCount => streams.Count;

    /// <summary>Ranges remembered, for tests and figures.</summary>
    public int RangeCount => totalRanges;

    /// <summary>
    /// Takes the lock for a slot and brings this view up to date. The caller looks up, stores, then adds (<see cref="Add"/>) and calls
    /// <see cref="Entry.Complete"/>; disposing without it (the store failed) leaves the ledger as others know it.
    /// </summary>
    public async ValueTask<Entry> EnterAsync(string slot)
    {
        await gate.WaitAsync();
        try
        {
            await fileLock.TakeAsync();
            try
            {
                var (current, dead) = ReadLockFile();
                CatchUp(current);
                if (dead.Length > 0)
                    Recover(dead);
                holder = slot;
                WriteLockFile();
                return new Entry(this);
            }
            catch
            {
                fileLock.Release();
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

    /// <summary>Notes that the readings are stored. Only while entered, and seen by others once <see cref="Entry.Complete"/> is called.</summary>
    public void Add(in ReadingIdentity first, ulong count)
    {
        if (!first.IsComplete || count == 0)
            return;
        var stream = Find(new(first.DeviceId, first.BootId, first.Kind));
        Include(stream, first.Sequence, first.Sequence + count - 1);
        WriteTag(pending, 2);
        WriteNumber((ulong)stream.Number);
        WriteNumber(first.Sequence);
        WriteNumber(count);
    }

    /// <summary>Notes up to where the ledger is complete for a slot's journal. Only while entered.</summary>
    public void SetPosition(string slot, string epoch, long offset)
    {
        slots[slot] = new(epoch, offset);
        WriteTag(pending, 3);
        WriteText(slot);
        WriteText(epoch);
        WriteNumber((ulong)offset);
    }

    /// <summary>Notes that a slot has been retired. Only while entered.</summary>
    public void Forget(string slot)
    {
        if (!slots.Remove(slot))
            return;
        WriteTag(pending, 4);
        WriteText(slot);
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
            WriteGroup(file!, ref end, pending.WrittenSpan);
            pending.ResetWrittenCount();
            if (end > CompactionBytes && end > 4 * EstimatedSize())
                Compact();
        }
        holder = "";
        WriteLockFile();
    }

    void Leave()
    {
        // The store failed between look-up and Complete: what was noted in memory only must go. The lock file still names the slot,
        // so whoever comes next reads from its journal what did get stored.
        if (pending.WrittenCount > 0)
        {
            pending.ResetWrittenCount();
            Close();
        }
        fileLock.Release();
        gate.Release();
    }

    void Recover(string dead)
    {
        holder = dead;
        slots.TryGetValue(dead, out var position);
        var readings = 0;
        // A slot without a position has not stored anything yet: its first act is to enter one.
        foreach (var (payload, endOffset) in position is null ? [] : readJournal(dead, position.Epoch, position.Offset))
        {
            for (var i = 0; i < payload.Count; i++)
                Add(payload.Identity(i), 1);
            readings += payload.Count;
            SetPosition(dead, position!.Epoch, endOffset);
        }
        if (readings > 0)
            LogRecovered(dead, readings);
        Complete();
    }

    void CatchUp(ulong current)
    {
        if (file is null || generation != current)
            Reopen(current);
        var length = RandomAccess.GetLength(file!);
        if (length <= end)
            return;
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(length - end, int.MaxValue / 2));
        try
        {
            var read = 0;
            var wanted = (int)(length - end);
            while (read < wanted && RandomAccess.Read(file!, buffer.AsSpan(read, wanted - read), end + read) is > 0 and var got)
                read += got;
            var used = Apply(buffer.AsSpan(0, read));
            end += used;
            if (used == read)
                return;
            // Only the lock holder writes and we are it, so this is a tail that a power cut or a kill tore.
            LogTornTail(path, end, read - used);
            RandomAccess.SetLength(file!, end);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    void Reopen(ulong current)
    {
        Close();
        file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        Span<byte> header = stackalloc byte[HeaderBytes];
        var isWhole = RandomAccess.Read(file, header, 0) == HeaderBytes && header.StartsWith(Magic);
        if (isWhole)
        {
            generation = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
        }
        else
        {
            if (RandomAccess.GetLength(file) > 0)
                LogUnreadable(path);
            generation = current;
            WriteHeader(file, generation);
            RandomAccess.SetLength(file, HeaderBytes);
        }
        end = HeaderBytes;
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

    /// <summary>Applies whole groups; returns how many bytes they took.</summary>
    int Apply(ReadOnlySpan<byte> bytes)
    {
        var used = 0;
        while (bytes.Length - used >= GroupHeaderBytes)
        {
            var length = BinaryPrimitives.ReadUInt32LittleEndian(bytes[used..]);
            if (length > (uint)(bytes.Length - used - GroupHeaderBytes))
                break;
            var body = bytes.Slice(used + GroupHeaderBytes, (int)length);
            if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[(used + 4)..]) != Crc32C.Compute(body))
                break;
            ApplyGroup(body);
            used += GroupHeaderBytes + (int)length;
        }
        return used;
    }

    void ApplyGroup(ReadOnlySpan<byte> body)
    {
        while (!body.IsEmpty)
        {
            var tag = body[0];
            body = body[1..];
            switch (tag)
            {
                case 1:
                    var number = (int)ReadNumber(ref body);
                    var kind = (ReadingKind)ReadNumber(ref body);
                    var key = new StreamKey(ReadText(ref body), ReadText(ref body), kind);
                    Define(key, number);
                    break;
                case 2:
                    var stream = numbered[(int)ReadNumber(ref body)];
                    var first = ReadNumber(ref body);
                    var count = ReadNumber(ref body);
                    if (stream is not null)
                        Include(stream, first, first + count - 1);
                    break;
                case 3:
                    var slot = ReadText(ref body);
                    slots[slot] = new(ReadText(ref body), (long)ReadNumber(ref body));
                    break;
                case 4:
                    slots.Remove(ReadText(ref body));
                    break;
                default:
                    throw new InvalidDataException($"{path}: entry {tag} is of a later version; use the release that wrote it.");
            }
        }
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
        var body = new ArrayBufferWriter<byte>();
        var renumbered = streams.Values.OrderBy(stream => stream.LastUsed).ToList();
        numbered.Clear();
        foreach (var stream in renumbered)
        {
            stream.Number = numbered.Count;
            numbered.Add(stream);
            WriteDefinition(body, stream);
            foreach (var (first, last) in stream.Stored.Ranges)
            {
                WriteTag(body, 2);
                WriteNumber(body, (ulong)stream.Number);
                WriteNumber(body, first);
                WriteNumber(body, last - first + 1);
            }
        }
        foreach (var (slot, position) in slots)
        {
            WriteTag(body, 3);
            WriteText(body, slot);
            WriteText(body, position.Epoch);
            WriteNumber(body, (ulong)position.Offset);
        }
        var replacement = File.OpenHandle(next, FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        var size = (long)HeaderBytes;
        WriteHeader(replacement, generation + 1);
        WriteGroup(replacement, ref size, body.WrittenSpan);
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

    static void WriteGroup(SafeFileHandle target, ref long position, ReadOnlySpan<byte> body)
    {
        var group = ArrayPool<byte>.Shared.Rent(GroupHeaderBytes + body.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(group, (uint)body.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(group.AsSpan(4), Crc32C.Compute(body));
        body.CopyTo(group.AsSpan(GroupHeaderBytes));
        RandomAccess.Write(target, group.AsSpan(0, GroupHeaderBytes + body.Length), position);
        position += GroupHeaderBytes + body.Length;
        ArrayPool<byte>.Shared.Return(group);
    }

    static void WriteDefinition(ArrayBufferWriter<byte> target, Stream stream)
    {
        WriteTag(target, 1);
        WriteNumber(target, (ulong)stream.Number);
        WriteNumber(target, (ulong)stream.Key.Kind);
        WriteText(target, stream.Key.DeviceId);
        WriteText(target, stream.Key.BootId);
    }

    void WriteNumber(ulong value) => WriteNumber(pending, value);

    void WriteText(string text) => WriteText(pending, text);

    static void WriteTag(ArrayBufferWriter<byte> target, byte tag)
    {
        target.GetSpan(1)[0] = tag;
        target.Advance(1);
    }

    static void WriteNumber(ArrayBufferWriter<byte> target, ulong value)
    {
        var bytes = target.GetSpan(10);
        var length = 0;
        for (; value >= 0x80; value >>= 7)
            bytes[length++] = (byte)(value | 0x80);
        bytes[length++] = (byte)value;
        target.Advance(length);
    }

    static void WriteText(ArrayBufferWriter<byte> target, string text)
    {
        WriteNumber(target, (ulong)Encoding.UTF8.GetByteCount(text));
        Encoding.UTF8.GetBytes(text, target);
    }

    static ulong ReadNumber(ref ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        for (var i = 0; ; i++)
        {
            value |= (ulong)(bytes[i] & 0x7F) << (7 * i);
            if (bytes[i] >= 0x80)
                continue;
            bytes = bytes[(i + 1)..];
            return value;
        }
    }

    static string ReadText(ref ReadOnlySpan<byte> bytes)
    {
        var length = (int)ReadNumber(ref bytes);
        var text = Encoding.UTF8.GetString(bytes[..length]);
        bytes = bytes[length..];
        return text;
    }

    [LoggerMessage(EventId = 110, Level = LogLevel.Warning, Message = "{Slot} stopped while storing; entered {Readings} readings of its journal into the ledger")]
    partial void LogRecovered(string slot, int readings);

    [LoggerMessage(EventId = 111, Level = LogLevel.Warning, Message = "{Path} ends torn at byte {Position}; cut {Bytes} bytes, the journals repeat what they said")]
    partial void LogTornTail(string path, long position, int bytes);

    [LoggerMessage(EventId = 112, Level = LogLevel.Error, Message = "{Path} is not a ledger and was begun anew; readings that arrive again and are no longer in a journal will be stored twice")]
    partial void LogUnreadable(string path);

    /// <summary>The time during which the ledger is held.</summary>
    public readonly struct Entry(Ledger ledger) : IDisposable
    {
        /// <summary>What was added is true: show it to the others.</summary>
        public void Complete() => ledger.Complete();

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
