using System.Buffers.Binary;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Journal;

/// <summary>
/// Finds out what a journal's directory holds when the journal is opened. Damage is logged and skipped, never thrown. Opening an existing
/// journal needs no write, so a journal on a full or read-only disk opens like any other. An I/O error is thrown: it says nothing about
/// what is stored.
/// </summary>
sealed class Recovery(string directory, bool skipUnreadable, Disk disk, TimeProvider clock, ILogger logger)
{
    readonly Quarantine quarantine = new(directory, disk);

    public RecoveredJournal Run()
    {
        var files = ReadHeaders();
        var epoch = FindEpoch(files);
        files.RemoveAll(file => PutForeignAside(file, epoch));
        if (files.Count == 0)
            return Create();

        var durable = ReadCursor(CursorFile.Name, epoch, out var damaged);
        var cursor = CursorFile.Latest(durable, ReadCursor(CursorFile.RecentName, epoch, out _));
        var givenOut = cursor?.Next ?? 0;
        var segments = BuildSegments(files, epoch, givenOut);
        if (damaged)
            logger.CursorDamaged(directory, cursor?.Committed ?? segments[0].First);

        var flushProblem = FlushTail(segments[^1]);
        var known = Math.Max(givenOut, cursor?.Committed ?? 0);
        var (next, damage) = ReadTail(segments[^1], epoch, givenOut, known);
        var committed = Math.Clamp(cursor?.Committed ?? segments[0].First, segments[0].First, next);
        return new RecoveredJournal(
            epoch,
            segments,
            next,
            Math.Max(known, segments[^1].End),
            committed,
            damage,
            flushProblem,
            IsNew: false
        );
    }

    /// <summary>
    /// Gives a directory without segments a new identity, so that new readings are not mistaken for those that the old journal delivered.
    /// </summary>
    RecoveredJournal Create()
    {
        var epoch = NewEpoch();
        var used = false;
        foreach (var cursor in (string[])[Path.Combine(directory, CursorFile.Name), Path.Combine(directory, CursorFile.RecentName)])
        {
            if (!disk.Exists(cursor))
                continue;
            used = true;
            disk.Delete(cursor);
        }

        disk.Replace(Path.Combine(directory, EpochFile.Name), EpochFile.ToBytes(epoch), durable: true);
        if (used)
            logger.SegmentsGone(directory, EpochFile.Text(epoch));
        var header = new SegmentHeader(epoch, 0, 0, Now, 0);
        var path = Path.Combine(directory, Segment.FileName(0));
        Span<byte> bytes = stackalloc byte[SegmentHeader.Bytes];
        header.Write(bytes);
        using (var file = disk.OpenFile(path, create: true))
        {
            disk.Write(file, bytes, 0);
            disk.Flush(file);
        }

        disk.FlushDirectory(directory);
        var segment = new Segment(path, header) { Size = SegmentHeader.Bytes, FileBytes = SegmentHeader.Bytes };
        return new RecoveredJournal(epoch, [segment], 0, 0, 0, [], null, IsNew: true);
    }

    List<SegmentFile> ReadHeaders()
    {
        List<SegmentFile> files = [];
        foreach (var (first, path) in Segment.List(directory))
        {
            using var scanner = new SegmentScanner(disk, path) { SkipUnreadable = skipUnreadable };
            var header = scanner.ReadHeader();
            files.Add(new SegmentFile(first, path, scanner.FileLength, header, scanner.Unreadable.Count > 0));
        }

        return files;
    }

    ulong FindEpoch(List<SegmentFile> files)
    {
        var path = Path.Combine(directory, EpochFile.Name);
        if (ReadTwice(EpochFile.Name, bytes => EpochFile.Parse(bytes), out _) is { } stored)
            return stored;
        if (files.Count == 0)
            return 0;

        ulong epoch;
        if (files.FindLast(file => file.Header is not null) is { Header: { } header } source)
        {
            epoch = header.Epoch;
            logger.EpochRecovered(directory, EpochFile.Text(epoch), Path.GetFileName(source.Path));
        }
        else
        {
            epoch = NewEpoch();
            logger.EpochLost(directory, EpochFile.Text(epoch));
        }

        Try(EpochFile.Name, () => disk.Replace(path, EpochFile.ToBytes(epoch), durable: true));
        return epoch;
    }

    bool PutForeignAside(SegmentFile file, ulong epoch)
    {
        if (file.Header is not { } header || (header.Epoch == epoch && header.First == file.First))
            return false;
        Try(
            Path.GetFileName(file.Path),
            () =>
            {
                var kept = quarantine.KeepFile(file.Path);
                logger.ForeignSegment(directory, Path.GetFileName(file.Path), EpochFile.Text(header.Epoch), header.First, kept);
            }
        );
        return true;
    }

    List<Segment> BuildSegments(List<SegmentFile> files, ulong epoch, long givenOut)
    {
        List<Segment> segments = [];
        var mark = files.Find(file => file.Header is not null)?.Header?.Mark ?? new TimeMark(0, Now, 0);
        foreach (var file in files)
        {
            var header =
                file.Header
                ?? new SegmentHeader(
                    epoch,
                    file.First,
                    EndOf(segments, epoch, file.First, givenOut),
                    mark.WallMilliseconds,
                    mark.OpenMilliseconds
                );
            mark = header.Mark;
            if (segments.Count > 0)
            {
                var previous = segments[^1];
                previous.End = Math.Clamp(header.PreviousEnd, previous.First, Math.Min(header.First, previous.First + Frame.MaxCount));
            }

            if (file.Header is null && !file.IsUnreadable)
                RepairHeader(file.Path, header);
            var length = Math.Max(file.Length, SegmentHeader.Bytes);
            segments.Add(new Segment(file.Path, header) { Size = length, FileBytes = length });
        }

        return segments;
    }

    /// <summary>
    /// Offset at which the segment before a damaged header ends: counted from that segment's records if all are whole. If not, the offset at
    /// which the next segment begins is the best answer, unless numbering jumped there: then an earlier start found damage at the end of
    /// that segment, and readings behind it may have been delivered since. They keep the offsets that start gave them.
    /// </summary>
    long EndOf(List<Segment> segments, ulong epoch, long next, long givenOut)
    {
        if (segments.Count == 0)
            return next;
        var previous = segments[^1];
        var isJump = next - previous.First >= Frame.MaxCount && givenOut <= next;
        var survey = Survey(previous, epoch).Examine(previous.FileBytes, end: null, isJump ? givenOut : 0);
        return isJump || (survey.Gaps.Count == 0 && survey.EndPosition == previous.FileBytes) ? survey.End : next;
    }

    void RepairHeader(string path, SegmentHeader header) =>
        Try(
            Path.GetFileName(path),
            () =>
            {
                Span<byte> bytes = stackalloc byte[SegmentHeader.Bytes];
                header.Write(bytes);
                using var file = disk.OpenFile(path, create: false);
                disk.Write(file, bytes, 0);
                disk.Flush(file);
                logger.HeaderRepaired(directory, Path.GetFileName(path));
            }
        );

    /// <summary>Reads the last segment through and finds the offset at which numbering can safely continue.</summary>
    (long Next, IReadOnlyList<Gap> Damage) ReadTail(Segment last, ulong epoch, long givenOut, long known)
    {
        var survey = Survey(last, epoch).Examine(last.FileBytes, end: null, givenOut);
        last.End = survey.End;
        last.Size = survey.EndPosition;
        last.Gaps = survey.Gaps;
        foreach (var mark in survey.Marks)
            last.AddMark(mark);
        last.MarkDueAt = SegmentHeader.Bytes + AppendGroup.MarkEveryBytes;

        var tail = last.FileBytes - last.Size;
        if (tail == 0 && survey.Gaps.Count == 0 && known <= last.End)
            return (last.End, []);

        // The missing readings may have been acknowledged and delivered. No segment spans more offsets than this, so offsets beyond were
        // never given out.
        var next = Math.Max(last.First + Frame.MaxCount, known);
        List<Gap> damage = [.. survey.Gaps];
        var name = Path.GetFileName(last.Path);
        var hinted = tail > 0 ? DamagedTailReadings(last) : null;
        var lost = Math.Max(hinted ?? 0, known - last.End);
        if (lost > 0 || hinted is not null)
            damage.Add(new Gap(last.Size, last.FileBytes, last.End, last.End + Math.Max(0, lost)));
        else if (tail > 0)
            logger.TornTail(directory, name, tail, last.Size, next);
        if (known > last.End)
            logger.TailLost(directory, name, last.End, known, next);
        return (next, damage);
    }

    /// <summary>
    /// Distinguishes damage at the end of a segment from an append that a crash or a power cut interrupted: such an append ends in the
    /// middle of a frame, or in zeros.
    /// </summary>
    /// <returns>Null for an interrupted append; else how many readings the damaged records hold, at least.</returns>
    long? DamagedTailReadings(Segment last)
    {
        using var scanner = new SegmentScanner(disk, last.Path) { SkipUnreadable = skipUnreadable };
        var bytes = new byte[(int)Math.Min(last.FileBytes - last.Size, 2 * Frame.MaxPayloadBytes)];
        bytes = bytes[..scanner.ReadAt(bytes, last.Size)];
        if (scanner.IsUnreadable(last.Size, last.FileBytes))
            return FrameSearch.ReadingsBetween(scanner.ReadAt, last.Size, last.FileBytes) ?? 0;
        if (bytes.Length == 0 || bytes[^1] == 0)
            return null;
        return FrameSearch.ReadingsBetween(scanner.ReadAt, last.Size, last.FileBytes);
    }

    /// <summary>
    /// Makes the last segment durable. A process that was killed between write and fsync leaves records, or a whole file, in the kernel's
    /// memory only. From now on these records count as stored, and a sender that repeats them is acknowledged; so they must be on disk
    /// first.
    /// </summary>
    Exception? FlushTail(Segment last)
    {
        try
        {
            FlushTail(disk, last.Path);
            return null;
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            return e;
        }
    }

    public static void FlushTail(Disk disk, string path)
    {
        using (var file = disk.OpenToRead(path))
            disk.Flush(file);
        disk.FlushDirectory(Path.GetDirectoryName(path)!);
    }

    SegmentSurvey Survey(Segment segment, ulong epoch) => new(disk, segment.Path, epoch, segment.First) { SkipUnreadable = skipUnreadable };

    CursorFile? ReadCursor(string name, ulong epoch, out bool damaged)
    {
        var cursor = ReadTwice(name, bytes => CursorFile.Parse(bytes), out var isThere);
        damaged = isThere && cursor?.Epoch != epoch;
        return damaged ? null : cursor;
    }

    /// <summary>Reads a small file, and reads it again if it is wrong: only a file that is wrong twice is damaged.</summary>
    T? ReadTwice<T>(string name, Func<byte[], T?> parse, out bool isThere)
        where T : struct
    {
        var path = Path.Combine(directory, name);
        var bytes = disk.ReadSmall(path);
        isThere = bytes is not null;
        return bytes is null ? null : parse(bytes) ?? (disk.ReadSmall(path) is { } again ? parse(again) : null);
    }

    /// <summary>Does a repair that can wait until the next start: a failure is only logged.</summary>
    void Try(string name, Action repair)
    {
        try
        {
            repair();
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            logger.RepairFailed(directory, name, e.Message);
        }
    }

    long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    static ulong NewEpoch()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        RandomNumberGenerator.Fill(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    sealed record SegmentFile(long First, string Path, long Length, SegmentHeader? Header, bool IsUnreadable);
}
