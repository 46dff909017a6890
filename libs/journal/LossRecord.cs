using System.Globalization;
using System.Text;

namespace ThermalStreaming.Journal;

/// <summary>
/// What damage has cost a journal over its life: the file <c>losses</c> in its directory and its copy <c>losses.copy</c>. Not thread-safe.
/// </summary>
/// <remarks>
/// Lines of text, each with its own CRC-32C (<see cref="SmallFile"/>), so that a damaged line costs only itself. The first is <c>losses
/// GENERATION READINGS PLACES RECOVERED</c>: what damage to segments that no longer exist has cost, and how many readings <c>journal
/// recover</c> has brought back. Then one line for each damaged place: <c>gap SEGMENT POSITION ENDPOSITION OFFSET ENDOFFSET d|u</c>, u for
/// bytes that the device could not read; and <c>found MILLISECONDS</c>, when the newest loss was found (Unix time). A release that does not
/// know a line takes it for damage, which costs only the line. Of the two files the one with the higher generation counts; if it has a
/// damaged line, the other one's gaps count too.
/// </remarks>
sealed class LossRecord
{
    public const string Name = "losses";

    const string CopyExtension = ".copy";

    /// <summary>Most places that are listed. Beyond that, those of deleted segments are only counted.</summary>
    const int MostGaps = 512;

    /// <summary>The end of the year 9999.</summary>
    const long MostMilliseconds = 253_402_300_799_999;

    readonly string path;
    readonly Disk disk;
    readonly List<(long Segment, Gap Gap)> gaps = [];
    long generation;
    long foldedReadings;
    long foldedPlaces;
    long recovered;
    long foundMilliseconds;

    LossRecord(string directory, Disk disk)
    {
        path = Path.Combine(directory, Name);
        this.disk = disk;
    }

    /// <summary>Readings that are missing and have not been recovered.</summary>
    public long Readings => Math.Max(0, foldedReadings + gaps.Sum(entry => entry.Gap.Readings) - recovered);

    /// <summary>Damaged places.</summary>
    public long Places => foldedPlaces + gaps.Count;

    /// <summary>When the newest loss was found; null if that is not known.</summary>
    public DateTimeOffset? FoundAt
    {
        get => foundMilliseconds > 0 ? DateTimeOffset.FromUnixTimeMilliseconds(foundMilliseconds) : null;
        set
        {
            foundMilliseconds = value?.ToUnixTimeMilliseconds() ?? 0;
            IsDirty = true;
        }
    }

    /// <summary>Whether something is not on disk yet.</summary>
    public bool IsDirty { get; private set; }

    /// <exception cref="IOException">A file cannot be read now.</exception>
    public static LossRecord Load(string directory, Disk disk)
    {
        var record = new LossRecord(directory, disk);
        var (first, second) = (new LossRecord(directory, disk), new LossRecord(directory, disk));
        var (isWhole, isCopyWhole) = (first.Read(record.path), second.Read(record.path + CopyExtension));
        var (newer, older, isNewerWhole) = second.generation > first.generation ? (second, first, isCopyWhole) : (first, second, isWhole);
        record.Take(newer);
        if (!isNewerWhole)
        {
            foreach (var (segment, gap) in older.gaps)
                record.Add(segment, gap);
            record.foldedReadings = Math.Max(newer.foldedReadings, older.foldedReadings);
            record.foldedPlaces = Math.Max(newer.foldedPlaces, older.foldedPlaces);
            record.recovered = Math.Max(newer.recovered, older.recovered);
            record.foundMilliseconds = Math.Max(newer.foundMilliseconds, older.foundMilliseconds);
        }

        record.IsDirty = first.generation != second.generation || !isWhole || !isCopyWhole;
        return record;
    }

    /// <summary>Notes a damaged place of a segment. A place that is noted already, or a part of one, is not counted twice.</summary>
    /// <returns>Whether it was not known before.</returns>
    public bool Add(long segment, Gap gap)
    {
        var overlapping = gaps.FindAll(entry => entry.Segment == segment && Overlap(entry.Gap, gap));
        if (
            overlapping.Exists(entry =>
                entry.Gap.Position <= gap.Position
                && entry.Gap.EndPosition >= gap.EndPosition
                && entry.Gap.Offset <= gap.Offset
                && entry.Gap.EndOffset >= gap.EndOffset
            )
        )
            return false;
        gaps.RemoveAll(entry => overlapping.Contains(entry));
        foreach (var (_, known) in overlapping)
        {
            gap = new Gap(
                Math.Min(gap.Position, known.Position),
                Math.Max(gap.EndPosition, known.EndPosition),
                Math.Min(gap.Offset, known.Offset),
                Math.Max(gap.EndOffset, known.EndOffset),
                gap.IsUnreadable || known.IsUnreadable
            );
        }

        gaps.Add((segment, gap));
        return IsDirty = true;
    }

    /// <summary>The places of a segment that the device could not read.</summary>
    public IEnumerable<Gap> UnreadableIn(long segment) =>
        gaps.Where(entry => entry.Segment == segment && entry.Gap.IsUnreadable).Select(entry => entry.Gap);

    /// <summary>Notes that this many readings were recovered.</summary>
    public void AddRecovered(long readings)
    {
        recovered += readings;
        IsDirty |= readings > 0;
    }

    /// <summary>Writes both files, if anything has changed.</summary>
    /// <param name="firstSegment">First segment that still exists: the places of earlier ones may be only counted.</param>
    /// <exception cref="IOException">The disk refused; call again.</exception>
    public void Save(long firstSegment)
    {
        if (!IsDirty)
            return;
        while (gaps.Count > MostGaps && gaps.FindIndex(entry => entry.Segment < firstSegment) is >= 0 and var index)
            Fold(index);
        generation++;
        var text = new StringBuilder();
        Write(text, $"{Name} {generation} {foldedReadings} {foldedPlaces} {recovered}");
        foreach (var (segment, gap) in gaps)
            Write(text, $"gap {segment} {gap.Position} {gap.EndPosition} {gap.Offset} {gap.EndOffset} {(gap.IsUnreadable ? 'u' : 'd')}");
        if (foundMilliseconds > 0)
            Write(text, $"found {foundMilliseconds}");
        var bytes = Encoding.ASCII.GetBytes(text.ToString());
        disk.Replace(path, bytes, durable: true);
        disk.Replace(path + CopyExtension, bytes, durable: true);
        IsDirty = false;
    }

    /// <summary>Keeps only the sum of all places, because their segments are gone and new segments will get the same names.</summary>
    public void FoldAll()
    {
        IsDirty |= gaps.Count > 0;
        while (gaps.Count > 0)
            Fold(gaps.Count - 1);
    }

    void Fold(int index)
    {
        foldedReadings += gaps[index].Gap.Readings;
        foldedPlaces++;
        gaps.RemoveAt(index);
    }

    static void Write(StringBuilder text, FormattableString line) =>
        text.Append(Encoding.ASCII.GetString(SmallFile.Seal(line.ToString(CultureInfo.InvariantCulture))));

    static bool Overlap(Gap one, Gap other) =>
        (one.Position < other.EndPosition && one.EndPosition > other.Position)
        || (one.Offset < other.EndOffset && one.EndOffset > other.Offset)
        || one.Position == other.Position;

    void Take(LossRecord other)
    {
        gaps.AddRange(other.gaps);
        (generation, foldedReadings, foldedPlaces) = (other.generation, other.foldedReadings, other.foldedPlaces);
        (recovered, foundMilliseconds) = (other.recovered, other.foundMilliseconds);
    }

    /// <returns>Whether every line is whole; true if there is no file.</returns>
    bool Read(string file)
    {
        if (disk.ReadSmall(file) is not { } bytes)
            return true;
        var isWhole = false;
        var damaged = 0;
        foreach (var line in Encoding.Latin1.GetString(bytes).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            switch (SmallFile.Open(Encoding.Latin1.GetBytes(line + '\n'))?.Split(' '))
            {
                case [Name, var number, var readings, var places, var back]
                    when Numbers([number, readings, places, back]) is [var a, var b, var c, var d]:
                    (generation, foldedReadings, foldedPlaces, recovered) = (a, b, c, d);
                    isWhole = true;
                    break;
                case ["gap", var segment, var position, var endPosition, var offset, var endOffset, var kind]
                    when Numbers([segment, position, endPosition, offset, endOffset]) is [var a, var b, var c, var d, var e]:
                    gaps.Add((a, new Gap(b, c, d, e, kind == "u")));
                    break;
                case ["found", var milliseconds] when Numbers([milliseconds]) is [var a] && a <= MostMilliseconds:
                    foundMilliseconds = a;
                    break;
                default:
                    damaged++;
                    break;
            }
        }

        return isWhole && damaged == 0;
    }

    static long[]? Numbers(string[] texts)
    {
        var numbers = new long[texts.Length];
        for (var i = 0; i < texts.Length; i++)
        {
            if (!long.TryParse(texts[i], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[i]))
                return null;
        }

        return numbers;
    }
}
