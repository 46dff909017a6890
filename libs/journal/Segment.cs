using System.Globalization;

namespace ThermalStreaming.Journal;

/// <summary>One segment file as the journal knows it. Its properties change only under the lock of <see cref="SegmentSet"/>.</summary>
sealed class Segment(string path, SegmentHeader header)
{
    public const string Extension = ".segment";

    /// <summary>Most time marks kept per segment. Beyond that, every other one is forgotten.</summary>
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

    /// <summary>The damaged parts found so far, in order. Readers skip them.</summary>
    public IReadOnlyList<Gap> Gaps { get; set; } = [];

    /// <summary>File position from which the next offset mark is due.</summary>
    public long MarkDueAt { get; set; }

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

    /// <summary>The last time mark at or before an offset; the first of all if there is none.</summary>
    public TimeMark MarkBefore(long offset)
    {
        var mark = Marks.FindLast(mark => mark.Offset <= offset);
        return mark == default ? Marks[0] : mark;
    }

    public static string FileName(long first) => first.ToString("D20", CultureInfo.InvariantCulture) + Extension;

    /// <summary>The segment files of a directory with the offsets in their names, in order. Other files are ignored.</summary>
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
