using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace ThermalStreaming.SnowflakeEmulator;

// On-disk layout
// ==============
// One append-only file per table, <data>/tables/<DATABASE>.<SCHEMA>.<TABLE>.log (names percent-encoded), little-endian:
//
//   file    "TSSFLOG1", then records
//   record  "REC" type:u8 | metaLength:u32 | bodyLength:u32 | headCrc:u32 | bodyCrc:u32 | meta | body
//           headCrc = CRC-32C of the first 12 bytes and the meta; bodyCrc = CRC-32C of the body
//
//   type  meta                                                               body
//   1     Open: channel, pipe, name, client sequencer, times, offset token   –
//   2     Append: channel, row sequencer, offset token, counts, rejections   the rows as they came over the wire
//   3     Commit: file offsets of the Append records that are now in the table, in row order   –
//   4     Drop: channel                                                      –
//   5     Status: channel, status code (an invalidated channel)              –
//
// Strings are an i32 length (-1 = null) and UTF-8. Bodies stay compressed: what the table holds is what was sent, and
// the pipe's mapping is applied when somebody reads. So a file is small, an append costs one write, and adding a column to the
// SQL shows it for the rows that carried the key before, which is the one thing Snowflake does otherwise.
//
// Writing: an Append is answered once it is written (it survives kill -9); Open, Drop, Status and Commit are fsynced before
// anybody sees their effect. Rows and offset tokens become visible by the same Commit record, so they advance together or not at
// all, and an Append is in the table once or not at all.
//
// Reading: at start every record's head is read and checked and the bodies are skipped, except those of Appends without a
// Commit, which no fsync vouches for. The file is cut at the first record that is torn. Appends without a Commit are still
// buffered rows: they are committed after the usual delay, and the channel's continuation token goes on where it was.

/// <summary>The kinds of record in a table's file.</summary>
enum RecordType : byte
{
    Open = 1,
    Append = 2,
    Commit = 3,
    Drop = 4,
    Status = 5,
}

/// <summary>One record as found in the file; the body is only named, not read.</summary>
readonly record struct LogRecord(RecordType Type, long Offset, byte[] Meta, long BodyOffset, int BodyLength, uint BodyCrc)
{
    public long End => BodyOffset + BodyLength;
}

/// <summary>The append-only file of one table. Calls that write must not overlap; reads may overlap everything.</summary>
sealed class TableLog : IDisposable
{
    const int HeaderSize = 20;
    static ReadOnlySpan<byte> Magic => "TSSFLOG1"u8;

    readonly SafeFileHandle file;

    TableLog(string path, SafeFileHandle file, long end)
    {
        Path = path;
        this.file = file;
        End = end;
    }

    public string Path { get; }

    /// <summary>Where the next record goes.</summary>
    public long End { get; private set; }

    /// <summary>Opens or creates the file and hands over each whole record in order.</summary>
    /// <param name="path">The file.</param>
    /// <param name="apply">Receives each record.</param>
    /// <param name="cut">Bytes of a torn tail that were cut off.</param>
    /// <exception cref="InvalidDataException">The file is something else.</exception>
    public static TableLog Open(string path, Action<LogRecord> apply, out long cut)
    {
        // FileShare.None also locks the file against a second emulator on the same directory.
        var file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, FileOptions.None);
        try
        {
            var length = RandomAccess.GetLength(file);
            var log = new TableLog(path, file, ScanEnd(file, length, apply));
            cut = length - log.End;
            if (log.End == 0)
                log.Clear();
            else if (cut > 0)
                log.CutAt(log.End);
            return log;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Removes every record.</summary>
    public void Clear()
    {
        RandomAccess.SetLength(file, 0);
        RandomAccess.Write(file, Magic, 0);
        End = Magic.Length;
        Flush();
    }

    /// <summary>Removes the record at an offset and all after it.</summary>
    public void CutAt(long offset)
    {
        RandomAccess.SetLength(file, offset);
        End = offset;
        Flush();
    }

    static long ScanEnd(SafeFileHandle file, long length, Action<LogRecord> apply)
    {
        Span<byte> header = stackalloc byte[HeaderSize];
        if (length < Magic.Length || RandomAccess.Read(file, header[..Magic.Length], 0) < Magic.Length)
            return 0;
        if (!header[..Magic.Length].SequenceEqual(Magic))
            throw new InvalidDataException("it is no table log of this emulator (or of another version); move it away, or set EMULATOR_DATA to another directory");
        long at = Magic.Length;
        while (at + HeaderSize <= length && ReadFully(file, header, at))
        {
            var metaLength = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
            var bodyLength = BinaryPrimitives.ReadUInt32LittleEndian(header[8..]);
            if (!header.StartsWith("REC"u8) || at + HeaderSize + metaLength + bodyLength > length || metaLength > int.MaxValue / 2)
                break;
            var meta = new byte[metaLength];
            if (!ReadFully(file, meta, at + HeaderSize)
                || HeadCrc(header[..12], meta) != BinaryPrimitives.ReadUInt32LittleEndian(header[12..]))
                break;
            var record = new LogRecord((RecordType)header[3], at, meta, at + HeaderSize + metaLength, (int)bodyLength,
                BinaryPrimitives.ReadUInt32LittleEndian(header[16..]));
            apply(record);
            at = record.End;
        }
        return at;
    }

    /// <summary>Writes a record at the end. Not yet safe from a power cut: see <see cref="Flush"/>.</summary>
    /// <exception cref="IOException">The disk refused it; the file is as before.</exception>
    public LogRecord Append(RecordType type, byte[] meta, ReadOnlyMemory<byte> body)
    {
        var header = new byte[HeaderSize];
        "REC"u8.CopyTo(header);
        header[3] = (byte)type;
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(4), (uint)meta.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(8), (uint)body.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(12), HeadCrc(header.AsSpan(0, 12), meta));
        var bodyCrc = Crc32C.Of(body.Span);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(16), bodyCrc);
        var record = new LogRecord(type, End, meta, End + HeaderSize + meta.Length, body.Length, bodyCrc);
        try
        {
            RandomAccess.Write(file, [header, meta, body], End);
        }
        catch (IOException)
        {
            RandomAccess.SetLength(file, End);
            throw;
        }
        End = record.End;
        return record;
    }

    /// <summary>Everything written so far survives a power cut once this returns.</summary>
    public void Flush() => RandomAccess.FlushToDisk(file);

    /// <summary>The head of the record at an offset.</summary>
    public LogRecord Read(long offset)
    {
        Span<byte> header = stackalloc byte[HeaderSize];
        if (!ReadFully(file, header, offset) || !header.StartsWith("REC"u8))
            throw new InvalidDataException($"{Path} is damaged at byte {offset}");
        var meta = new byte[BinaryPrimitives.ReadUInt32LittleEndian(header[4..])];
        if (!ReadFully(file, meta, offset + HeaderSize)
            || HeadCrc(header[..12], meta) != BinaryPrimitives.ReadUInt32LittleEndian(header[12..]))
            throw new InvalidDataException($"{Path} is damaged at byte {offset}");
        return new LogRecord((RecordType)header[3], offset, meta, offset + HeaderSize + meta.Length,
            (int)BinaryPrimitives.ReadUInt32LittleEndian(header[8..]), BinaryPrimitives.ReadUInt32LittleEndian(header[16..]));
    }

    /// <summary>The body of a record.</summary>
    /// <exception cref="InvalidDataException">The body does not match its checksum.</exception>
    public byte[] ReadBody(LogRecord record)
    {
        var body = new byte[record.BodyLength];
        if (!ReadFully(file, body, record.BodyOffset) || Crc32C.Of(body) != record.BodyCrc)
            throw new InvalidDataException($"{Path} is damaged: the rows at byte {record.BodyOffset} do not match their checksum");
        return body;
    }

    /// <summary>The body is all there and matches its checksum.</summary>
    public bool BodyIsWhole(LogRecord record)
    {
        var body = new byte[record.BodyLength];
        return ReadFully(file, body, record.BodyOffset) && Crc32C.Of(body) == record.BodyCrc;
    }

    static bool ReadFully(SafeFileHandle file, Span<byte> buffer, long offset)
    {
        while (buffer.Length > 0)
        {
            var read = RandomAccess.Read(file, buffer, offset);
            if (read == 0)
                return false;
            buffer = buffer[read..];
            offset += read;
        }
        return true;
    }

    static uint HeadCrc(ReadOnlySpan<byte> header, ReadOnlySpan<byte> meta) => Crc32C.Of(meta, Crc32C.Of(header));

    public void Dispose() => file.Dispose();
}

/// <summary>CRC-32C (Castagnoli), RFC 3720 appendix B.4.</summary>
static class Crc32C
{
    public static uint Of(ReadOnlySpan<byte> data, uint previous = 0)
    {
        var crc = ~previous;
        for (; data.Length >= 8; data = data[8..])
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(data));
        foreach (var b in data)
            crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }
}

/// <summary>Writes the fields of a record's meta.</summary>
sealed class MetaWriter
{
    readonly ArrayBufferWriter<byte> buffer = new();

    public MetaWriter Int(int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(buffer.GetSpan(4), value);
        buffer.Advance(4);
        return this;
    }

    public MetaWriter Long(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(buffer.GetSpan(8), value);
        buffer.Advance(8);
        return this;
    }

    public MetaWriter Text(string? value)
    {
        if (value is null)
            return Int(-1);
        var utf8 = Encoding.UTF8.GetBytes(value);
        Int(utf8.Length);
        buffer.Write(utf8);
        return this;
    }

    public byte[] ToArray() => buffer.WrittenSpan.ToArray();
}

/// <summary>Reads the fields of a record's meta in the order they were written.</summary>
ref struct MetaReader(ReadOnlySpan<byte> meta)
{
    ReadOnlySpan<byte> rest = meta;

    public int Int()
    {
        var value = BinaryPrimitives.ReadInt32LittleEndian(rest);
        rest = rest[4..];
        return value;
    }

    public long Long()
    {
        var value = BinaryPrimitives.ReadInt64LittleEndian(rest);
        rest = rest[8..];
        return value;
    }

    public string? Text()
    {
        var length = Int();
        if (length < 0)
            return null;
        var value = Encoding.UTF8.GetString(rest[..length]);
        rest = rest[length..];
        return value;
    }
}
