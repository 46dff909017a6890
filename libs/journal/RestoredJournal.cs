namespace ThermalStreaming.Journal;

/// <summary>
/// Makes a journal that was restored from a backup safe to use again. The original gave out offsets after the backup was made, and the
/// destination may know them, as tokens or as names of readings. So the restored journal continues at offsets far beyond them, under the
/// same identity: what the destination says about old offsets still holds for the old readings, and no offset names two readings.
/// </summary>
public static class RestoredJournal
{
    /// <summary>Offsets for each second since 2020: many times what a journal can take in. Until 2037 they stay below 2^53.</summary>
    const int BitsPerSecond = 24;

    /// <summary>
    /// How far the first new offset is at least from those of the backup, in seconds: 2^32 readings, which a journal with ten readings a
    /// second takes in within 13 years.
    /// </summary>
    const int LeastSeconds = 256;

    static readonly DateTimeOffset origin = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>
    /// Begins an empty segment at an offset that depends on the time, so that each restore of the same backup gets different offsets. The
    /// segment is on disk when this returns. May be repeated.
    /// </summary>
    /// <param name="directory">The journal's. Nobody may have it open.</param>
    /// <param name="clock">Tells the time of the restore.</param>
    /// <returns>The new file; null if the directory holds no segment, so no offset could be confused.</returns>
    /// <exception cref="IOException">The disk refuses, or a later version wrote the journal.</exception>
    public static string? Continue(string directory, TimeProvider clock)
    {
        var disk = new Disk();
        if (!disk.Exists(directory) || JournalFolder.EpochOf(directory) is not { } text || !EpochFile.TryParseText(text, out var epoch))
            return null;
        var segments = Segment.List(directory);
        if (segments.Count == 0)
            return null;
        var (first, path) = segments[^1];
        var cursor = JournalFolder.CursorOf(directory, epoch) ?? default;
        SurveyedSegment last;
        SegmentHeader? header;
        using (var scanner = new SegmentScanner(disk, path))
        {
            header = scanner.ReadHeader();
            // After a power cut, the file may be shorter than a header.
            var length = Math.Max(scanner.FileLength, SegmentHeader.Bytes);
            // The cursor helps to place readings behind a hole, as it did when the original was opened.
            last = new SegmentSurvey(disk, path, epoch, first).Examine(length, end: null, cursor.Next);
        }
        var now = clock.GetUtcNow();
        var bySeconds = Math.Max(0, (long)(now - origin).TotalSeconds) << BitsPerSecond;
        // With a clock that was ahead once, the backup has offsets beyond the time: then far beyond these.
        var known = Math.Max(last.End, Math.Max(cursor.Next, cursor.Committed));
        var next = Math.Max(bySeconds, ((known >> BitsPerSecond) + LeastSeconds) << BitsPerSecond);
        var begun = new SegmentHeader(epoch, next, last.End, now.ToUnixTimeMilliseconds(), header?.OpenMilliseconds ?? 0);
        var made = Path.Combine(directory, Segment.FileName(next));
        Span<byte> bytes = stackalloc byte[SegmentHeader.Bytes];
        begun.Write(bytes);
        using (var file = disk.OpenFile(made, create: true))
        {
            disk.Write(file, bytes, 0);
            disk.Flush(file);
        }
        disk.FlushDirectory(directory);
        return made;
    }
}
