namespace ThermalStreaming.Journal;

/// <summary>Reads the records of one segment file from outside its journal, in order, and skips damage.</summary>
/// <param name="disk">How files are read.</param>
/// <param name="path">The segment file.</param>
/// <param name="epoch">Identity of the journal.</param>
/// <param name="first">Offset of its first reading.</param>
/// <param name="end">Offset at which it ends; null for the last segment.</param>
sealed class SegmentReading(Disk disk, string path, ulong epoch, long first, long? end)
{
    /// <summary>Whether bytes that the device cannot read are skipped like damage, instead of throwing.</summary>
    public bool SkipUnreadable { get; init; }

    /// <summary>
    /// An offset that had been given out, for a segment whose end is not known: helps to place readings behind a hole.
    /// </summary>
    public long GivenOut { get; init; }

    /// <summary>Damaged places, once reading has met the first of them.</summary>
    public IReadOnlyList<Gap> Gaps { get; private set; } = [];

    /// <summary>Offset just past the last record read.</summary>
    public long Next { get; private set; } = -1;

    /// <summary>Bytes behind the last record: an append that is being written, or was interrupted.</summary>
    public long UnfinishedBytes { get; private set; }

    /// <summary>Time of the last time mark, Unix milliseconds.</summary>
    public long? WallMilliseconds { get; private set; }

    /// <summary>The records; each payload is valid until the next one is asked for. None if the file is gone.</summary>
    /// <exception cref="IOException">The file cannot be read now, which is not damage.</exception>
    public IEnumerable<JournalEntry> Records()
    {
        using var scanner = SegmentScanner.TryOpen(disk, path, skipUnreadable: SkipUnreadable);
        if (scanner is null)
            yield break;
        Next = first;
        // Taken before the frames are read: later appends do not count.
        var length = scanner.FileLength;
        var isExamined = false;
        var gap = 0;
        while (end is null || Next < end)
        {
            var limit = gap < Gaps.Count ? Gaps[gap].Position : length;
            var status = scanner.Read(Math.Max(limit, scanner.Position), out var count, out var payload);
            if (status == ScanStatus.Frame && !(Next + count > end))
            {
                if (count == 0 && Frame.TryReadMark(payload.Span, out var wall, out _))
                    WallMilliseconds = wall;
                if (count > 0)
                    yield return new JournalEntry(Next, count, payload);
                Next += count;
            }
            else if (status == ScanStatus.End && gap < Gaps.Count)
            {
                Next = Gaps[gap].EndOffset;
                scanner.Position = Gaps[gap++].EndPosition;
            }
            else if (status == ScanStatus.End && !(Next < end))
            {
                yield break;
            }
            else if (isExamined)
            {
                UnfinishedBytes = length - scanner.Position;
                yield break;
            }
            else
            {
                isExamined = true;
                var position = scanner.Position;
                var survey = new SegmentSurvey(disk, path, epoch, first) { SkipUnreadable = SkipUnreadable };
                Gaps = survey.Examine(length, end, GivenOut).Gaps;
                gap = Gaps.TakeWhile(known => known.EndPosition < position || (known.EndPosition == position && known.EndOffset <= Next))
                    .Count();
            }
        }
    }
}
