namespace ThermalStreaming.Journal;

/// <summary>
/// Reads a whole segment, skips damage, and finds the offsets of the records behind it. It counts from places where the offset is known:
/// forwards from the header, and in both directions from an offset mark and from the segment's end. Between two damaged places without a
/// mark in between, it takes the lengths and counts in the damaged frames' own headers, if they add up.
/// </summary>
/// <param name="disk">How files are read.</param>
/// <param name="path">The segment file.</param>
/// <param name="epoch">Identity of the journal: offset marks of other journals do not count.</param>
/// <param name="first">Offset of the segment's first reading.</param>
sealed class SegmentSurvey(Disk disk, string path, ulong epoch, long first)
{
    readonly List<Run> runs = [];

    /// <summary>Whether bytes that the device cannot read are skipped like damage, instead of throwing.</summary>
    public bool SkipUnreadable { get; init; }

    /// <param name="limit">File position that is not read past.</param>
    /// <param name="end">Offset at which the segment ends, if it is known: records beyond it do not count.</param>
    /// <param name="known">An offset that had been given out, for a segment whose end is not known.</param>
    /// <exception cref="IOException">The file cannot be read now, which is not damage.</exception>
    public SurveyedSegment Examine(long limit, long? end, long known = 0)
    {
        using var scanner = new SegmentScanner(disk, path) { SkipUnreadable = SkipUnreadable };
        Walk(scanner, limit, end);
        if (
            SkipUnreadable
            && scanner.Unreadable.Sum(block => block.To - block.From) is > 0 and var unreadable
            && unreadable >= scanner.FileLength - SegmentHeader.Bytes
        )
            throw new IOException($"no block of {path} can be read");
        Resolve(scanner, limit, end, known);

        List<Gap> gaps = [];
        List<TimeMark> marks = [];
        var (position, offset) = (SegmentHeader.Bytes + 0L, first);
        foreach (var run in runs)
        {
            if (run.Position > position || run.Start > offset)
                gaps.Add(new Gap(position, run.Position, offset, run.Start!.Value, scanner.IsUnreadable(position, run.Position)));
            marks.AddRange(run.Marks.Select(mark => mark with { Offset = run.Start!.Value + mark.Offset }));
            (position, offset) = (run.EndPosition, run.End);
        }

        if (end > offset)
            gaps.Add(new Gap(position, Math.Max(position, limit), offset, end.Value, scanner.IsUnreadable(position, limit)));
        return new SurveyedSegment(gaps, end ?? offset, position, marks);
    }

    void Walk(SegmentScanner scanner, long limit, long? end)
    {
        var run = new Run(scanner.Position) { Start = first };
        runs.Add(run);
        while (!(run.Start is not null && run.End >= end))
        {
            var status = scanner.Read(limit, out var count, out var payload);
            if (status == ScanStatus.Frame)
            {
                if (run.Start is not null && run.End + count > end)
                    break;
                if (count > 0)
                    run.Count += count;
                else if (Frame.TryReadOffsetMark(payload.Span, epoch, out var offset))
                    run.Start ??= offset - run.Count;
                else if (Frame.TryReadMark(payload.Span, out var wall, out var open))
                    run.Marks.Add(new TimeMark(run.Count, wall, open));
                run.EndPosition = scanner.Position;
                continue;
            }

            if (status == ScanStatus.End)
                break;
            var next = FrameSearch.Find(scanner.ReadAt, scanner.Position, limit);
            if (next >= limit)
                break;
            scanner.Position = next;
            run = new Run(next);
            runs.Add(run);
        }
    }

    /// <summary>Gives every run its offset, or drops the run if its readings do not fit between those around it.</summary>
    void Resolve(SegmentScanner scanner, long limit, long? end, long known)
    {
        // A mark that contradicts the readings before it does not count.
        var before = first;
        foreach (var run in runs)
        {
            if (run.Start < before)
                run.Start = null;
            before = (run.Start ?? before) + run.Count;
        }

        for (var i = 1; i < runs.Count; i++)
        {
            if (runs[i].Start is not null)
                continue;
            var next = runs.FindIndex(i, run => run.Start is not null);
            var after = next < 0 ? runs.Count : next;
            Place(scanner, i, after, next < 0 ? end : runs[next].Start, next < 0 && runs[^1].EndPosition >= limit, known);
        }

        runs.RemoveAll(run => run.Start is null || run.Start >= end || run.End > end);
    }

    /// <summary>Places the runs from one index to before another, between two known offsets.</summary>
    void Place(SegmentScanner scanner, int from, int to, long? upper, bool touchesUpper, long known)
    {
        var lower = runs[from - 1].End;
        long present = 0;
        for (var i = from; i < to; i++)
            present += runs[i].Count;
        // One gap before each run, and one behind the last, unless that reaches the end.
        var gaps = new long?[to - from + (touchesUpper || upper is null ? 0 : 1)];
        for (var i = 0; i < gaps.Length; i++)
        {
            var nextPosition = from + i < runs.Count ? runs[from + i].Position : 0;
            gaps[i] = nextPosition == 0 ? null : FrameSearch.ReadingsBetween(scanner.ReadAt, runs[from + i - 1].EndPosition, nextPosition);
        }

        var unknown = gaps.Count(gap => gap is null);
        var hinted = gaps.Sum(gap => gap ?? 0);
        // An unknown gap counts as one reading at least, unless the known offset says that it held none, as marks and padding do.
        var byKnown = known - lower - present;
        var missing = upper - lower - present ?? (byKnown >= hinted ? byKnown : hinted + unknown);
        if (missing < 0)
            return;
        var rest = missing - hinted;
        if (rest < 0 || (rest > 0 && unknown == 0))
        {
            // The damaged headers are wrong. Offsets too high are safer than too low: a reading delivered twice is recognised; a skipped
            // reading is lost.
            Array.Fill(gaps, 0);
            gaps[0] = missing;
        }
        else if (unknown > 0)
        {
            gaps[Array.FindIndex(gaps, gap => gap is null)] = rest;
        }

        var offset = lower;
        for (var i = from; i < to; i++)
        {
            offset += gaps[i - from] ?? 0;
            runs[i].Start = offset;
            offset += runs[i].Count;
        }
    }

    /// <summary>Good frames that follow one another without damage between them.</summary>
    sealed class Run(long position)
    {
        public long Position { get; } = position;

        public long EndPosition { get; set; } = position;

        /// <summary>Readings in it.</summary>
        public long Count { get; set; }

        /// <summary>Offset of the first of them, once it is known.</summary>
        public long? Start { get; set; }

        public long End => (Start ?? 0) + Count;

        /// <summary>Their offsets count from the run's first reading.</summary>
        public List<TimeMark> Marks { get; } = [];
    }
}
