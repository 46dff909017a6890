using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;

namespace ThermalStreaming.Journal;

/// <summary>
/// Puts the whole records of a journal's quarantine/ back into the journal, under new offsets. The journal must be closed; its lock is held
/// meanwhile.
/// </summary>
/// <remarks>
/// <para>The records of one file become one segment, which gets its name when it is complete. Before that, a note <c>{file}.recovering</c>
/// says which segment it will be. A running service never reaches its first offset by itself, so after a crash, a journal with that offset
/// has the records. Then the file is moved to <c>recovered/</c>.</para>
/// <para>Records that are in the journal, or in a file of <c>recovered/</c>, are left out. The ledger is not asked: it knows the readings
/// as stored.</para>
/// </remarks>
sealed class JournalRecover(string directory, TimeProvider clock, Disk disk)
{
    const string NoteExtension = ".recovering";

    /// <summary>
    /// A recovered segment begins at a multiple of this number, about 10^12 readings, which a service that runs between a crash and the
    /// next recovery does not reach.
    /// </summary>
    public const long Jump = 1L << 40;

    readonly string quarantine = Path.Combine(directory, Quarantine.Name);
    readonly Dictionary<UInt128, int> known = [];

    /// <summary>Whether there is anything in quarantine/.</summary>
    public static bool HasWork(string directory) => Quarantine.Content(directory).Files > 0;

    /// <exception cref="JournalLockedException">A service has the journal open.</exception>
    /// <exception cref="IOException">The disk refuses. What was recovered stays; run it again.</exception>
    public List<RecoveredFile> Run()
    {
        using var held =
            FileLock.TryTake(Path.Combine(directory, "lock"))
            ?? throw new JournalLockedException(
                $"The journal {directory} is open in a running service. Stop the service, then run this again."
            );
        var sources = Directory
            .GetFiles(quarantine)
            .Where(file => !file.Contains(NoteExtension, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .ToList();
        if (sources.Count == 0)
            return [];
        var journal = new Recovery(directory, skipUnreadable: false, disk, clock, NullLogger.Instance).Run();
        var losses = LossRecord.Load(directory, disk);
        Learn(journal);
        List<RecoveredFile> results = [];
        foreach (var source in sources)
        {
            RecoveredFile result;
            try
            {
                result = Take(source, journal, losses);
            }
            catch (IOException e) when (DiskError.IsMedium(e))
            {
                result = new(Path.GetFileName(source), $"cannot be read now ({e.Message}); run this again later", 0, 0, 0, IsProblem: true);
            }

            results.Add(result);
        }

        losses.Save(journal.Segments[0].First);
        return results;
    }

    RecoveredFile Take(string source, RecoveredJournal journal, LossRecord losses)
    {
        var name = Path.GetFileName(source);
        if (WasTakenIn(source, journal))
        {
            Finish(source);
            return new(name, "was recovered before", 0, 0, 0);
        }

        if (IsForeign(source, journal.Epoch, out var why))
            return new(name, why, 0, 0, 0, IsProblem: true);
        var group = new AppendGroup(null, 0);
        var seen = new Dictionary<UInt128, int>();
        var (records, left, found) = (0, 0, 0);
        foreach (var (payload, count) in Frames(source, losses))
        {
            found++;
            var hash = Hash(payload.Span, count);
            seen[hash] = seen.GetValueOrDefault(hash) + 1;
            // The same bytes may have been stored several times, so they are counted.
            if (seen[hash] <= known.GetValueOrDefault(hash))
            {
                left++;
                continue;
            }

            if (group.Count + count > Frame.MaxCount)
                return new(name, $"holds more than {Frame.MaxCount} readings; split it", 0, 0, 0, IsProblem: true);
            group.EnsureRoom(Frame.Size(payload.Length, count));
            group.Add(new JournalRecord(payload, count));
            records++;
        }

        if (group.Count > 0)
        {
            var next = (Math.Max(journal.Next, journal.Segments[^1].End) / Jump + 1) * Jump;
            var note = string.Create(CultureInfo.InvariantCulture, $"{EpochFile.Text(journal.Epoch)} {next}");
            disk.Replace(source + NoteExtension, SmallFile.Seal(note), durable: true);
            WriteSegment(group, journal, next);
            losses.AddRecovered(group.Count);
        }

        foreach (var (hash, count) in seen)
            known[hash] = Math.Max(known.GetValueOrDefault(hash), count);
        // A file without a whole record stays for a person to look at.
        if (found == 0)
            return new(name, "has no complete record; look at it, then delete it", 0, 0, 0);
        Finish(source);
        return new(name, records > 0 ? "taken in" : "holds only records that the journal has already", records, group.Count, left);
    }

    void WriteSegment(AppendGroup group, RecoveredJournal journal, long first)
    {
        var last = journal.Segments[^1];
        var header = new SegmentHeader(
            journal.Epoch,
            first,
            last.End,
            clock.GetUtcNow().ToUnixTimeMilliseconds(),
            last.Marks[^1].OpenMilliseconds
        );
        group.SetFirst(first, journal.Epoch);
        var path = Path.Combine(directory, Segment.FileName(first));
        var bytes = group.WithHeader(header);
        disk.Replace(path, bytes, durable: true);
        journal.Segments.Add(
            new Segment(path, header)
            {
                End = first + group.Count,
                Size = bytes.Length,
                FileBytes = bytes.Length,
            }
        );
    }

    bool WasTakenIn(string source, RecoveredJournal journal) =>
        disk.ReadSmall(source + NoteExtension) is { } note
        && SmallFile.Open(note)?.Split(' ') is [var epoch, var offset]
        && epoch == EpochFile.Text(journal.Epoch)
        && long.TryParse(offset, NumberStyles.None, CultureInfo.InvariantCulture, out var first)
        && (journal.Segments[^1].First >= first || journal.GivenOut > first);

    void Finish(string source)
    {
        var recovered = Path.Combine(quarantine, Quarantine.RecoveredName);
        Directory.CreateDirectory(recovered);
        var target = Path.Combine(recovered, Path.GetFileName(source));
        for (var number = 2; disk.Exists(target); number++)
            target = Path.Combine(
                recovered,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Path.GetFileNameWithoutExtension(source)}-{number}{Path.GetExtension(source)}"
                )
            );
        disk.Move(source, target);
        disk.FlushDirectory(recovered);
        disk.FlushDirectory(quarantine);
        disk.Delete(source + NoteExtension);
    }

    bool IsForeign(string source, ulong epoch, out string why)
    {
        using var scanner = new SegmentScanner(disk, source);
        why = "";
        if (Path.GetExtension(source) != Segment.Extension || scanner.ReadHeader() is not { } header || header.Epoch == epoch)
            return false;
        why =
            $"belongs to the journal {EpochFile.Text(header.Epoch)}; put it into the quarantine/ of that journal, or give it a "
            + "directory of its own";
        return true;
    }

    /// <summary>
    /// The whole records of a file. Of a segment that was kept because the device could not read a part of it, only those in that part.
    /// </summary>
    IEnumerable<(ReadOnlyMemory<byte> Payload, int Count)> Frames(string source, LossRecord losses)
    {
        var isSegment = Path.GetExtension(source) == Segment.Extension;
        var unreadable =
            isSegment
            && long.TryParse(
                Path.GetFileNameWithoutExtension(source).Split('-')[0],
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out var first
            )
                ? losses.UnreadableIn(first).ToList()
                : [];
        using var scanner = new SegmentScanner(disk, source) { Position = isSegment ? SegmentHeader.Bytes : 0 };
        var length = scanner.FileLength;
        while (scanner.Position < length)
        {
            var position = scanner.Position;
            if (scanner.Read(length, out var count, out var payload) != ScanStatus.Frame)
                scanner.Position = FrameSearch.Find(scanner.ReadAt, position, length);
            else if (count > 0 && (!isSegment || unreadable.Exists(gap => position >= gap.Position && position < gap.EndPosition)))
                yield return (payload, count);
        }
    }

    /// <summary>Notes which records are in the journal, or were recovered into it before.</summary>
    void Learn(RecoveredJournal journal)
    {
        foreach (var segment in journal.Segments)
        {
            var reading = new SegmentReading(disk, segment.Path, journal.Epoch, segment.First, segment.End);
            foreach (var record in reading.Records())
                Learn(record.Payload.Span, record.Count);
        }

        var recovered = Path.Combine(quarantine, Quarantine.RecoveredName);
        if (!disk.Exists(recovered))
            return;
        foreach (var file in Directory.GetFiles(recovered))
        {
            using var scanner = new SegmentScanner(disk, file)
            {
                Position = Path.GetExtension(file) == Segment.Extension ? SegmentHeader.Bytes : 0,
            };
            var length = scanner.FileLength;
            while (scanner.Position < length)
            {
                var position = scanner.Position;
                if (scanner.Read(length, out var count, out var payload) != ScanStatus.Frame)
                    scanner.Position = FrameSearch.Find(scanner.ReadAt, position, length);
                else if (count > 0)
                    Learn(payload.Span, count);
            }
        }
    }

    void Learn(ReadOnlySpan<byte> payload, int count)
    {
        var hash = Hash(payload, count);
        known[hash] = known.GetValueOrDefault(hash) + 1;
    }

    static UInt128 Hash(ReadOnlySpan<byte> payload, int count)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(payload, hash);
        return BitConverter.ToUInt128(hash) + (UInt128)(uint)count;
    }
}
