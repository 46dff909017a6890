using System.Buffers;
using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// The file of a ledger: a 16-byte header ("THRMLDGR", generation, 8 bytes little-endian), then groups, each length (4 bytes), CRC-32C (4
/// bytes) and entries (<see cref="LedgerState"/>). A file that has grown far beyond its content is replaced by the next generation.
/// </summary>
/// <remarks>
/// An I/O error is thrown and changes nothing: it says nothing about what is in the file. Bytes that are wrong twice without an error are
/// reported as <see cref="LedgerDamage"/>. Only for the holder of the ledger's lock, except <see cref="Flush"/>, which any thread may call.
/// </remarks>
sealed class LedgerFile(string path, Disk disk) : IDisposable
{
    const int HeaderBytes = 16;

    const int ChunkBytes = 1 << 20;

    /// <summary>Most bytes of one group: a claim of the largest message is a third of it.</summary>
    const int MaxGroupBytes = 16 << 20;

    /// <summary>A rewritten file has groups of about this size, so that damage to one group does not cost the others.</summary>
    const int ReplacedGroupBytes = 16 * 1024;

    readonly Lock flushGate = new();
    SafeFileHandle? file;
    SafeFileHandle? flushed;
    ulong flushedGeneration;
    bool hasHeader;
    long end;

    static ReadOnlySpan<byte> Magic => "THRMLDGR"u8;

    /// <summary>Counts how often the file has been replaced.</summary>
    public ulong Generation { get; private set; }

    /// <summary>Where the next group goes.</summary>
    public long End => end;

    public bool IsOpen => file is not null;

    /// <summary>Whether <see cref="Open"/> created the file.</summary>
    public bool IsNew { get; private set; }

    /// <summary>
    /// Set when an fsync failed: bytes written since may be lost even if a later fsync succeeds, so the file must be replaced.
    /// </summary>
    public bool MustReplace { get; private set; }

    public long Length => RandomAccess.GetLength(file!);

    /// <summary>Opens the file, and creates it if there is none. Reads nothing of it.</summary>
    /// <param name="generation">Generation of the file that the others know; a new file gets the next one.</param>
    /// <exception cref="IOException">It cannot be used now.</exception>
    public void Open(ulong generation)
    {
        Close();
        file = OpenOrCreate();
        (end, hasHeader, IsNew) = (HeaderBytes, false, false);
        if (Length < HeaderBytes)
        {
            // The file is new, or power was cut when it was made: nothing can be in it. Processes that have a deleted file open must
            // notice.
            WriteHeader(file, generation + 1);
            (Generation, hasHeader, IsNew) = (generation + 1, true, true);
            return;
        }
        Span<byte> header = stackalloc byte[HeaderBytes];
        for (var attempt = 0; attempt < 2 && !hasHeader; attempt++)
        {
            if (attempt > 0)
                OpenAgain();
            ReadExactly(header, 0);
            hasHeader = header.StartsWith(Magic);
        }
        Generation = hasHeader ? BinaryPrimitives.ReadUInt64LittleEndian(header[8..]) : generation;
    }

    /// <summary>Applies what was appended since the last call.</summary>
    /// <returns>The damage; null if there is none. The whole groups behind damage are applied too.</returns>
    /// <exception cref="IOException">The file cannot be read now, or holds entries of a later release. The caller must then clear
    /// <paramref name="state"/>.</exception>
    public LedgerDamage? CatchUp(LedgerState state)
    {
        var length = Length;
        var isWhole = ReadGroups(state, length);
        if (!isWhole)
        {
            // A device that failed for a moment gives the right bytes on a second read.
            OpenAgain();
            isWhole = ReadGroups(state, length);
        }
        LedgerDamage? damage = isWhole ? null : ReadPastDamage(state, length);
        return hasHeader ? damage : new LedgerDamage(0, HeaderBytes + (damage?.Bytes ?? 0), IsTail: false);
    }

    /// <summary>Cuts off everything behind the last whole group.</summary>
    public void CutTail() => disk.SetLength(file!, end);

    /// <summary>Appends the entries as one group, if there are any, and clears them.</summary>
    /// <exception cref="IOException">The disk refused; a part may be written. Nothing more may be appended before the file is opened
    /// again.</exception>
    public void Append(ArrayBufferWriter<byte> entries) => end += WriteGroup(file!, end, entries);

    /// <summary>Replaces this file by one with the content of <paramref name="state"/>, durably.</summary>
    /// <param name="state">The content of the new file.</param>
    /// <param name="announce">Called with the next generation before the file is replaced: other processes must not mistake the new file
    /// for the old one.</param>
    /// <exception cref="IOException">The disk refused; the file in place is the old or the new one. It must be opened again.</exception>
    public void Replace(LedgerState state, Action<ulong> announce)
    {
        var next = path + ".next";
        var replacement = disk.OpenFile(next, create: true);
        try
        {
            var position = (long)HeaderBytes;
            WriteHeader(replacement, Generation + 1);
            var entries = new ArrayBufferWriter<byte>();
            state.WriteAll(entries, ReplacedGroupBytes, () => position += WriteGroup(replacement, position, entries));
            disk.Flush(replacement);
            announce(Generation + 1);
            disk.Move(next, path);
            disk.FlushDirectory(Path.GetDirectoryName(path)!);
            file!.Dispose();
            (file, Generation, end, hasHeader) = (replacement, Generation + 1, position, true);
            MustReplace = false;
        }
        catch
        {
            replacement.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Makes everything appended so far durable, by this process and by others. Takes no lock and waits for no other process.
    /// </summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    public void Flush()
    {
        lock (flushGate)
        {
            if (MustReplace)
                throw new IOException($"an fsync of {path} failed; the file is written again when the next readings are stored");
            // A handle that stays open reports a failed write-back even when another process got the error first. Its file may have been
            // replaced meanwhile; the replacement is durable.
            if (flushed is null || flushedGeneration != Generation)
            {
                flushed?.Dispose();
                flushed = null;
                flushed = disk.OpenFile(path, create: false);
                flushedGeneration = Generation;
                disk.FlushDirectory(Path.GetDirectoryName(path)!);
            }
            try
            {
                disk.Flush(flushed);
            }
            catch (IOException)
            {
                MustReplace = true;
                throw;
            }
        }
    }

    /// <summary>Forgets what was read; the file must be opened again.</summary>
    public void Close()
    {
        file?.Dispose();
        file = null;
    }

    public void Dispose()
    {
        Close();
        flushed?.Dispose();
    }

    /// <returns>Whether every byte up to <paramref name="length"/> belongs to a whole group.</returns>
    bool ReadGroups(LedgerState state, long length)
    {
        var wanted = ChunkBytes;
        while (end < length)
        {
            var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(wanted, length - end));
            try
            {
                var chunk = buffer.AsSpan(0, (int)Math.Min(wanted, length - end));
                ReadExactly(chunk, end);
                var used = 0;
                while (LedgerGroup.TryRead(chunk[used..], out var body))
                {
                    Apply(state, body);
                    used += LedgerGroup.HeaderBytes + body.Length;
                }
                end += used;
                if (used > 0)
                    continue;
                // A group larger than a chunk is not damage.
                var size =
                    chunk.Length > LedgerGroup.HeaderBytes
                        ? LedgerGroup.HeaderBytes + (long)BinaryPrimitives.ReadUInt32LittleEndian(chunk)
                        : 0;
                if (size <= chunk.Length || size > length - end || size > MaxGroupBytes)
                    return false;
                wanted = (int)size;
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
        return true;
    }

    /// <summary>Applies the whole groups that follow damage.</summary>
    LedgerDamage ReadPastDamage(LedgerState state, long length)
    {
        var from = end;
        ReadOnlySpan<byte> bytes = ReadRest(from, length);
        var (used, last) = (0, 0);
        long damaged = 0;
        while (used < bytes.Length)
        {
            if (LedgerGroup.TryRead(bytes[used..], out var body))
            {
                Apply(state, body);
                last = used += LedgerGroup.HeaderBytes + body.Length;
                continue;
            }
            var next = LedgerGroup.Find(state, bytes, used);
            if (next < 0)
                break;
            damaged += next - used;
            used = next;
        }
        end = from + last;
        return damaged == 0
            ? new LedgerDamage(end, length - end, IsTail: true)
            : new LedgerDamage(from, damaged + (bytes.Length - used), IsTail: false);
    }

    byte[] ReadRest(long from, long length)
    {
        var bytes = new byte[checked((int)(length - from))];
        ReadExactly(bytes, from);
        return bytes;
    }

    static void Apply(LedgerState state, ReadOnlySpan<byte> body)
    {
        if (!state.TryApply(body, isTrial: true))
            throw new IOException("it has entries of a later version; use the release that wrote it");
        state.TryApply(body, isTrial: false);
    }

    /// <returns>How many bytes the group takes.</returns>
    int WriteGroup(SafeFileHandle target, long position, ArrayBufferWriter<byte> entries)
    {
        if (entries.WrittenCount == 0)
            return 0;
        var body = entries.WrittenSpan;
        var size = LedgerGroup.HeaderBytes + body.Length;
        var group = ArrayPool<byte>.Shared.Rent(size);
        try
        {
            BinaryPrimitives.WriteUInt32LittleEndian(group, (uint)body.Length);
            BinaryPrimitives.WriteUInt32LittleEndian(group.AsSpan(4), Crc32C.Compute(body));
            body.CopyTo(group.AsSpan(LedgerGroup.HeaderBytes));
            disk.Write(target, group.AsSpan(0, size), position);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(group);
        }
        entries.ResetWrittenCount();
        return size;
    }

    void WriteHeader(SafeFileHandle target, ulong generation)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt64LittleEndian(header[8..], generation);
        disk.Write(target, header, 0);
    }

    void ReadExactly(Span<byte> buffer, long position)
    {
        var read = 0;
        while (read < buffer.Length && disk.Read(file!, buffer[read..], position + read) is > 0 and var more)
            read += more;
        if (read < buffer.Length)
            throw new IOException($"only {read} of {buffer.Length} bytes could be read from byte {position} on");
    }

    void OpenAgain()
    {
        file!.Dispose();
        file = null;
        file = disk.OpenFile(path, create: false);
    }

    SafeFileHandle OpenOrCreate()
    {
        try
        {
            return disk.OpenFile(path, create: false);
        }
        catch (FileNotFoundException)
        {
            return disk.OpenFile(path, create: true);
        }
    }
}
