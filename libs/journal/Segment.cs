using System.Buffers.Binary;
using System.Globalization;

namespace ThermalStreaming.Journal;

/// <summary>A moment in the log: the readings from <paramref name="Offset"/> on were appended at or after it.</summary>
/// <param name="Offset">Offset of the next reading.</param>
/// <param name="WallMilliseconds">Wall clock, Unix milliseconds. May step in either direction.</param>
/// <param name="OpenMilliseconds">Time for which the journal has been open in its life; never steps back.</param>
readonly record struct TimeMark(long Offset, long WallMilliseconds, long OpenMilliseconds);

/// <summary>What the first 64 bytes of a segment file say.</summary>
/// <param name="Epoch">Identity of the journal.</param>
/// <param name="First">Offset of the first reading in this segment.</param>
/// <param name="PreviousEnd">Where the readings of the segment before end; less than <paramref name="First"/> if some are missing.</param>
/// <param name="WallMilliseconds">Wall clock when the segment was begun.</param>
/// <param name="OpenMilliseconds">The journal's own time then.</param>
readonly record struct SegmentHeader(ulong Epoch, long First, long PreviousEnd, long WallMilliseconds, long OpenMilliseconds)
{
    public const int Bytes = 64;
    public const ushort Version = 1;

    const int ChecksumAt = 60;

    static ReadOnlySpan<byte> Magic => "THRMJRNL"u8;

    public TimeMark Mark => new(First, WallMilliseconds, OpenMilliseconds);

    public void Write(Span<byte> destination)
    {
        destination[..Bytes].Clear();
        Magic.CopyTo(destination);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[8..], Version);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[10..], Bytes);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[16..], Epoch);
        BinaryPrimitives.WriteInt64LittleEndian(destination[24..], First);
        BinaryPrimitives.WriteInt64LittleEndian(destination[32..], PreviousEnd);
        BinaryPrimitives.WriteInt64LittleEndian(destination[40..], WallMilliseconds);
        BinaryPrimitives.WriteInt64LittleEndian(destination[48..], OpenMilliseconds);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[ChecksumAt..], Crc32C.Compute(destination[..ChecksumAt]));
    }

    /// <returns>Null if the bytes are not a header, or not the one that was written.</returns>
    /// <exception cref="IOException">An intact header of a later version of the format.</exception>
    public static SegmentHeader? Parse(ReadOnlySpan<byte> bytes, string path)
    {
        if (bytes.Length < Bytes || !bytes.StartsWith(Magic)
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[ChecksumAt..]) != Crc32C.Compute(bytes[..ChecksumAt]))
            return null;
        var version = BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]);
        if (version != Version)
        {
            throw new IOException(
                $"{path} has format version {version}; this program knows {Version}. A later release wrote it: run that release, or let it deliver "
                + "everything before going back.");
        }

        return new SegmentHeader(
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[24..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[32..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[40..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[48..]));
    }
}

/// <summary>One segment file as the journal knows it. Fields change under the journal's lock only.</summary>
sealed class Segment(string path, SegmentHeader header)
{
    public const string Extension = ".segment";

    /// <summary>Marks kept per segment; when there are more, every other one is forgotten.</summary>
    const int MaxMarks = 256;

    public string Path { get; } = path;

    public SegmentHeader Header { get; set; } = header;

    public long First => Header.First;

    /// <summary>Offset just past the last durable reading.</summary>
    public long End { get; set; } = header.First;

    /// <summary>Bytes of the file that are durable and good.</summary>
    public long Size { get; set; }

    /// <summary>Bytes that the file takes on disk, those past <see cref="Size"/> included.</summary>
    public long FileBytes { get; set; }

    /// <summary>What is damaged in it, as far as somebody came across it; in order. Readers step over it.</summary>
    public IReadOnlyList<Gap> Gaps { get; set; } = [];

    /// <summary>File position from which on the next offset mark is due.</summary>
    public long MarkDueAt { get; set; }

    /// <summary>When a part of it could not be read for the first time, by the clock's timestamp; null while everything can be.</summary>
    public long? UnreadableSince { get; set; }

    /// <summary>Readings that can be read from <paramref name="offset"/> on.</summary>
    public long ReadingsFrom(long offset)
    {
        var readings = Math.Max(0, End - Math.Max(First, offset));
        foreach (var gap in Gaps)
            readings -= Math.Max(0, Math.Min(End, gap.EndOffset) - Math.Max(offset, gap.Offset));
        return readings;
    }

    public List<TimeMark> Marks { get; } = [header.Mark];

    public void AddMark(TimeMark mark)
    {
        Marks.Add(mark);
        if (Marks.Count <= MaxMarks)
            return;
        var kept = 0;
        for (var i = 0; i < Marks.Count; i += 2)
            Marks[kept++] = Marks[i];
        Marks.RemoveRange(kept, Marks.Count - kept);
    }

    public static string FileName(long first) => first.ToString("D20", CultureInfo.InvariantCulture) + Extension;

    /// <summary>The segment files of a directory with the offsets in their names, in order. Other files are not looked at.</summary>
    public static List<(long First, string Path)> List(string directory)
    {
        List<(long First, string Path)> found = [];
        foreach (var path in Directory.EnumerateFiles(directory, "*" + Extension))
        {
            var name = System.IO.Path.GetFileNameWithoutExtension(path);
            if (name.Length == 20 && long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var first))
                found.Add((first, path));
        }

        found.Sort((left, right) => left.First.CompareTo(right.First));
        return found;
    }
}
