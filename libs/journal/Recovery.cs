using System.Buffers.Binary;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Journal;

/// <summary>What a directory holds after it was made consistent.</summary>
/// <param name="Epoch">Identity of the journal.</param>
/// <param name="Segments">At least one; the last is the one to append to.</param>
/// <param name="Next">Offset of the next reading. More than the last segment's end if offsets are skipped.</param>
/// <param name="Committed">First offset that is not committed.</param>
sealed record RecoveredJournal(ulong Epoch, List<Segment> Segments, long Next, long Committed);

/// <summary>
/// Makes sense of whatever is in a journal's directory. Damage is reported and stepped around, never thrown; an exception means that the
/// directory cannot be used at all.
/// </summary>
sealed class Recovery(string directory, Disk disk, TimeProvider clock, ILogger logger)
{
    readonly Quarantine quarantine = new(directory, disk);

    public RecoveredJournal Run()
    {
        foreach (var leftover in Directory.EnumerateFiles(directory, "*.tmp"))
            disk.Delete(leftover);

        var files = ReadHeaders();
        var epoch = FindEpoch(files);
        files.RemoveAll(file => PutForeignAside(file, epoch));
        if (files.Count == 0)
            return Create();

        var segments = BuildSegments(files, epoch);
        var cursor = ReadCursor(CursorFile.Name, epoch, out var damaged);
        var recent = ReadCursor(CursorFile.RecentName, epoch, out _);
        if (recent?.Committed > cursor?.Committed || cursor is null)
            cursor = recent;
        if (damaged)
            logger.CursorDamaged(directory, cursor?.Committed ?? segments[0].First);

        var next = RepairTail(segments, epoch, cursor);
        var committed = Math.Clamp(cursor?.Committed ?? segments[0].First, segments[0].First, next);
        return new RecoveredJournal(epoch, segments, next, committed);
    }

    /// <summary>Writes the file of a new segment that has no readings yet, and makes it durable.</summary>
    Segment CreateSegment(SegmentHeader header)
    {
        var path = Path.Combine(directory, Segment.FileName(header.First));
        Span<byte> bytes = stackalloc byte[SegmentHeader.Bytes];
        header.Write(bytes);
        using (var file = disk.OpenFile(path, create: true))
        {
            disk.Write(file, bytes, 0);
            disk.Flush(file);
        }

        disk.FlushDirectory(directory);
        return new Segment(path, header) { Size = SegmentHeader.Bytes, FileBytes = SegmentHeader.Bytes };
    }

    /// <summary>A directory without segments gets a new identity: nothing is stored, so nothing can be mistaken for what the old one delivered.</summary>
    RecoveredJournal Create()
    {
        var epoch = NewEpoch();
        var used = false;
        foreach (var cursor in (string[])[Path.Combine(directory, CursorFile.Name), Path.Combine(directory, CursorFile.RecentName)])
        {
            if (!File.Exists(cursor))
                continue;
            used = true;
            disk.Delete(cursor);
        }

        disk.Replace(Path.Combine(directory, EpochFile.Name), EpochFile.ToBytes(epoch), durable: true);
        if (used)
            logger.SegmentsGone(directory, EpochFile.Text(epoch));
        var segment = CreateSegment(new SegmentHeader(epoch, 0, 0, Now, 0));
        return new RecoveredJournal(epoch, [segment], 0, 0);
    }

    List<SegmentFile> ReadHeaders()
    {
        List<SegmentFile> files = [];
        foreach (var (first, path) in Segment.List(directory))
        {
            using var scanner = new SegmentScanner(disk, path);
            files.Add(new SegmentFile(first, path, scanner.FileLength, scanner.ReadHeader()));
        }

        return files;
    }

    ulong FindEpoch(List<SegmentFile> files)
    {
        var path = Path.Combine(directory, EpochFile.Name);
        if (ReadSmall(EpochFile.Name) is { } bytes && EpochFile.Parse(bytes) is { } stored)
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

        try
        {
            disk.Replace(path, EpochFile.ToBytes(epoch), durable: true);
        }
        catch (IOException e)
        {
            logger.RepairFailed(directory, EpochFile.Name, e.Message);
        }

        return epoch;
    }

    bool PutForeignAside(SegmentFile file, ulong epoch)
    {
        if (file.Header is not { } header || (header.Epoch == epoch && header.First == file.First))
            return false;
        try
        {
            var kept = quarantine.KeepFile(file.Path);
            logger.ForeignSegment(directory, Path.GetFileName(file.Path), EpochFile.Text(header.Epoch), header.First, kept);
        }
        catch (IOException e)
        {
            logger.RepairFailed(directory, Path.GetFileName(file.Path), e.Message);
        }

        return true;
    }

    List<Segment> BuildSegments(List<SegmentFile> files, ulong epoch)
    {
        List<Segment> segments = [];
        var mark = files.Find(file => file.Header is not null)?.Header?.Mark ?? new TimeMark(0, Now, 0);
        foreach (var file in files)
        {
            var header = file.Header ?? new SegmentHeader(epoch, file.First, file.First, mark.WallMilliseconds, mark.OpenMilliseconds);
            mark = header.Mark;
            if (segments.Count > 0)
            {
                var previous = segments[^1];
                previous.End = Math.Clamp(header.PreviousEnd, previous.First, Math.Min(header.First, previous.First + Frame.MaxCount));
            }

            if (file.Header is null)
                RepairHeader(file.Path, header);
            var length = Math.Max(file.Length, SegmentHeader.Bytes);
            segments.Add(new Segment(file.Path, header) { Size = length, FileBytes = length });
        }

        return segments;
    }

    void RepairHeader(string path, SegmentHeader header)
    {
        try
        {
            RewriteHeader(disk, path, header);
            logger.HeaderRepaired(directory, Path.GetFileName(path));
        }
        catch (IOException e)
        {
            logger.RepairFailed(directory, Path.GetFileName(path), e.Message);
        }
    }

    public static void RewriteHeader(Disk disk, string path, SegmentHeader header)
    {
        Span<byte> bytes = stackalloc byte[SegmentHeader.Bytes];
        header.Write(bytes);
        using var file = disk.OpenFile(path, create: false);
        disk.Write(file, bytes, 0);
        disk.Flush(file);
    }

    /// <summary>Reads the last segment through, cuts what is not whole, and finds the offset at which numbering can safely go on.</summary>
    long RepairTail(List<Segment> segments, ulong epoch, CursorFile? cursor)
    {
        var last = segments[^1];
        bool anyFrameFollows;
        FlushTail(last);
        using (var scanner = new SegmentScanner(disk, last.Path))
        {
            while (scanner.Read(last.FileBytes, out var count, out var payload) == ScanStatus.Frame)
            {
                if (count == 0 && Frame.TryReadMark(payload.Span, out var wall, out var open))
                    last.AddMark(new TimeMark(last.End, wall, open));
                last.End += count;
            }

            last.Size = scanner.Position;
            anyFrameFollows = last.Size < last.FileBytes && scanner.AnyFrameFollows(last.FileBytes);
        }

        var known = Math.Max(cursor?.Next ?? 0, cursor?.Committed ?? 0);
        var tail = last.FileBytes - last.Size;
        if (tail == 0 && known <= last.End)
            return last.End;

        // What is missing may have been acknowledged and delivered. No segment spans more offsets than this, so these are new for sure.
        var next = Math.Max(last.First + Frame.MaxCount, known);
        if (known > last.End)
            logger.TailLost(directory, Path.GetFileName(last.Path), last.End, known, next);
        try
        {
            // The new segment first: until it is there, the damage is what keeps the offsets from being used again.
            var open = segments.Max(segment => segment.Marks.Max(mark => mark.OpenMilliseconds));
            segments.Add(CreateSegment(new SegmentHeader(epoch, next, last.End, Now, open)));
            if (tail > 0)
                CutTail(last, tail, anyFrameFollows, next);
        }
        catch (IOException e)
        {
            logger.RepairFailed(directory, Path.GetFileName(last.Path), e.Message);
        }

        return next;
    }

    /// <summary>
    /// A process that was killed between write and fsync leaves records, or a whole file, in memory only. From now on they count as stored: who sends them again is
    /// acknowledged because they are known. So they are made durable first.
    /// </summary>
    void FlushTail(Segment last)
    {
        using (var file = disk.OpenFile(last.Path, create: false))
            disk.Flush(file);
        disk.FlushDirectory(directory);
    }

    void CutTail(Segment last, long tail, bool damaged, long next)
    {
        var name = Path.GetFileName(last.Path);
        if (damaged)
        {
            var kept = quarantine.KeepRest(last.Path, last.Size);
            logger.LastSegmentDamaged(directory, name, last.Size, last.End, tail, kept, next);
        }
        else
        {
            using var file = disk.OpenFile(last.Path, create: false);
            disk.SetLength(file, last.Size);
            disk.Flush(file);
            logger.TornTailCut(directory, name, tail, last.Size, next);
        }

        last.FileBytes = last.Size;
    }

    CursorFile? ReadCursor(string name, ulong epoch, out bool damaged)
    {
        var bytes = ReadSmall(name);
        var cursor = bytes is null ? null : CursorFile.Parse(bytes);
        damaged = bytes is not null && cursor?.Epoch != epoch;
        return damaged ? null : cursor;
    }

    byte[]? ReadSmall(string name)
    {
        try
        {
            return File.ReadAllBytes(Path.Combine(directory, name));
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (IOException)
        {
            return [];
        }
    }

    long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    static ulong NewEpoch()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        RandomNumberGenerator.Fill(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    sealed record SegmentFile(long First, string Path, long Length, SegmentHeader? Header);
}
