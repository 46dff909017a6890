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
        SurveyedSegment last;
        SegmentHeader? header;
        using (var scanner = new SegmentScanner(disk, path))
        {
            header = scanner.ReadHeader();
            // The cursor helps to place readings behind a hole, as it did when the original was opened.
            var givenOut = new JournalInspection(directory).Cursor is { } cursor && cursor.Epoch == epoch ? cursor.Next : 0;
            last = new SegmentSurvey(disk, path, epoch, first).Examine(scanner.FileLength, end: null, givenOut);
        }
        var now = clock.GetUtcNow();
        var bySeconds = Math.Max(0, (long)(now - origin).TotalSeconds) << BitsPerSecond;
        // Even with a wrong clock, beyond everything that the backup knew.
        var next = Math.Max(bySeconds, ((last.End >> BitsPerSecond) + 1) << BitsPerSecond);
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
