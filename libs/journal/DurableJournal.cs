// A journal on disk
// =================
//
// Design constraints
//   - One writer process, any number of readers in it, and read-only tools beside it. Linux; x64 and arm64; little endian.
//   - The medium is an SD card: an fsync costs 5 to 40 ms and at times 200 ms, and bytes written are its life. So every append that waits
//     shares one write and one fsync, and a record costs 6 to 12 bytes on top of its payload.
//   - Nothing acknowledged is lost by a crash or a power cut. Damage costs what it covers and never stops the rest.
//   - An offset that was given out is never given out again within an epoch: sinks use it to know what they already have.
//   - At most 1,048,576 (2^20) offsets per segment and readings per record; at most 8 MiB of payload per record.
//
// Offsets
//   Offsets count readings, not bytes or records: a record that holds n readings takes the offsets [o, o+n). They begin at 0. They are
//   dense except where damage made the journal skip. Records are not moved: the offset of a record is the same before and after damage to others.
//
// Directory
//   lock                            empty; flock(2)ed exclusively while a process has the journal open
//   epoch                           identity of the journal, one line of text:  EEEEEEEEEEEEEEEE CCCCCCCC\n
//   cursor                          what the sink has committed, one line:      EEEEEEEEEEEEEEEE COMMITTED NEXT CCCCCCCC\n
//   cursor.recent                   the same, newer but not fsynced; of the two, the one that says more counts
//   NNNNNNNNNNNNNNNNNNNN.segment    records; N is the offset of the first one, 20 decimal digits
//   cursor.spare                    a block that takes the next cursor when the disk is full
//   losses, losses.copy             what damage has cost; see LossRecord.cs
//   quarantine/                     copies of damaged bytes, and segments of which the device could not read a part; see Recover.cs
//   E is 16 hex digits. COMMITTED (first offset not committed) and NEXT (first offset not given out when this was written) are 20 decimal
//   digits. C is the CRC-32C, 8 hex digits, of the text before the last blank. All numbers below are little endian.
//
// Segment header, 64 bytes
//    0  8  "THRMJRNL"
//    8  2  format version, 1
//   10  2  header length, 64
//   12  4  0
//   16  8  epoch
//   24  8  offset of the first record, as in the file's name
//   32  8  offset just past the last record of the segment before; less than the field above if readings between are missing
//   40  8  wall clock when the segment was begun, Unix milliseconds
//   48  8  milliseconds for which the journal had been open in its life by then
//   56  4  0
//   60  4  CRC-32C of bytes 0 to 59
//
// Frame, right behind the header or the frame before
//    0  4  CRC-32C of everything that follows in the frame
//    4  1-4  payload length, varint (7 bits per byte, low bits first, top bit set on all but the last byte)
//    .  1-3  number of readings, varint
//    .  n  payload
//   A frame with 0 readings is not a record. Its payload has 17 bytes and is a mark:
//     1, wall clock (8), milliseconds open (8), as in the header: what follows was appended at or after that time. At most one every 10 s,
//     written with the group that follows it.
//     2, offset (8), epoch (8): the next record has this offset. One at least every 4 KiB, so that damage leaves no doubt about what follows it.
//     3, zeros: padding, which may have longer varints than its numbers need.
//     Others are skipped.
//
// Writing
//   Appends are framed into the buffer of the current group as they arrive. The writer thread takes the group, writes it with one pwrite at
//   the end of the last segment, calls fsync, and completes the appends. A group that does not fit begins a new segment: header and frames in
//   one pwrite, fsync of the file, fsync of the directory. If a write fails (disk full, I/O error) the file is cut back to its good end and the
//   same group is tried again, every second and whenever space is freed; nothing is stored in part or twice. After a failed fsync the kernel
//   may have dropped the pages it could not write, so the group goes to a new segment.
//   An fsync writes whole pages of 4 KiB. Where groups come one by one, the rest of a page that the next group would not fit into is filled with
//   padding in the same write, so that the next fsync does not write this page again.
//
// Reading
//   A reader sees what an fsync has covered. Bytes that are wrong are read once more through a new handle. If they stay wrong, without an error
//   of the device, the segment is read through (SegmentSurvey.cs): good frames behind the damage keep their offsets and are delivered; the damaged
//   bytes stay where they are, and a copy goes to quarantine/. What is missing is noted in the file losses.
//   An I/O error is no damage. The reader throws it, and its caller tries again. If the device (EIO) does not give the bytes back for 30 s although
//   it gives others of the file, they are stepped over like damage, but the file is kept in quarantine/ instead of being deleted.
//
// Opening
//   Nothing has to be written, so a journal on a full or read-only disk can be read. The last segment and the directory are fsynced: a killed
//   process may not have come to it, and what is found counts as stored from then on; until that works, nothing may be appended.
//   Only the last segment is read through. Bytes behind its last good frame are an append that never finished, or damage; they are left where
//   they are. Whenever there are such bytes, and whenever the cursor knows of higher offsets, something acknowledged may be missing; the
//   next append begins a new segment at first + 2^20 of the old one, which no offset of the old one can have reached.
//   A damaged cursor counts as absent: without any, delivery starts at the first stored offset. A damaged epoch is taken from the segment headers.
//   Without any segment there is nothing to confuse, and the journal begins again under a new epoch.
//
// Deleting
//   A segment is deleted when it is not the last one and everything in it is committed; then the directory is fsynced. The cursor is replaced
//   by write, fsync, rename, fsync of the directory when a durable commit asks for it and at the end. For other commits cursor.recent is
//   replaced at most once a minute, by write and rename: losing it only means that the sink is asked what it has.

using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Journal;

/// <summary>
/// An append-only log of readings on disk: the agent's outbox and each forwarder's spool. Its on-disk format is described at the top of this file.
/// </summary>
/// <remarks>All members may be called from any thread.</remarks>
public sealed class DurableJournal : IDisposable
{
    /// <summary>A group takes no more appends from this size on, in bytes.</summary>
    const int GroupBytes = 1024 * 1024;

    /// <summary>A buffer larger than this is not kept for the next group.</summary>
    const int KeptBufferBytes = 2 * 1024 * 1024;

    const long FreeSpaceCheckBytes = 4 * 1024 * 1024;

    static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);
    static readonly TimeSpan MarkInterval = TimeSpan.FromSeconds(10);

    /// <summary>How long bytes that the device does not give back are asked for again before delivery continues behind them.</summary>
    internal static readonly TimeSpan ReadPatience = TimeSpan.FromSeconds(30);

    readonly JournalOptions options;
    readonly string directory;
    readonly ulong epoch;
    readonly long segmentBytes;
    readonly int groupBytes;
    readonly Disk disk;
    readonly TimeProvider clock;
    readonly ILogger logger;
    readonly FileLock lockFile;
    readonly DamageBook damage;
    readonly Thread writer;
    readonly ITimer wakeTimer;
    readonly CursorWriter cursor;

    // Everything down to the next comment belongs to whoever holds the gate. A plain object, because the writer waits on it.
    readonly object gate = new();
    readonly Lock examining = new();
    readonly List<Segment> segments;
    readonly Queue<AppendGroup> groups = new();
    AppendGroup? filling;
    byte[]? spareBuffer;
    long nextOffset;
    long committedOffset;
    long sizeBytes;
    long version;
    TaskCompletionSource? changed;
    string? fullReason;
    Exception? fault;
    bool rollNext;
    bool closing;
    bool disposed;
    long givenOut;
    Exception? flushProblem;
    long flushTriedAt;

    // The writer's own.
    ActiveFile? active;
    readonly long openMillisecondsBase;
    readonly long openedAt;
    readonly long reserveBytes;
    long freeBytes;
    long freeCheckedAt;
    long freeCheckedWritten;

    DurableJournal(JournalOptions options, TimeProvider clock, ILogger logger, Disk disk, FileLock lockFile)
    {
        this.options = options;
        this.clock = clock;
        this.logger = logger;
        this.disk = disk;
        this.lockFile = lockFile;
        directory = Path.GetFullPath(options.Directory);
        segmentBytes = Math.Max(1024, Math.Min(options.SegmentBytes, options.MaxBytes / 8));
        groupBytes = (int)Math.Min(GroupBytes, segmentBytes);
        reserveBytes = disk.ReserveOf(directory, options.FreeSpaceReserveBytes);

        var recovered = new Recovery(directory, options.SkipUnreadable, disk, clock, logger).Run();
        damage = new DamageBook(directory, options.MaxBytes / 4, disk, logger);
        Epoch = EpochFile.Text(recovered.Epoch);
        epoch = recovered.Epoch;
        segments = recovered.Segments;
        nextOffset = recovered.Next;
        givenOut = recovered.GivenOut;
        committedOffset = recovered.Committed;
        flushProblem = recovered.FlushProblem;
        sizeBytes = segments.Sum(segment => segment.FileBytes);
        openedAt = flushTriedAt = clock.GetTimestamp();
        openMillisecondsBase = segments.Max(segment => segment.Marks.Max(mark => mark.OpenMilliseconds));
        if (recovered.IsNew)
            damage.BeginAgain();
        else if (recovered.Damage.Count > 0)
            damage.Report(segments[^1], recovered.Damage, committedOffset, segments[0].First);
        Reclaim();

        wakeTimer = clock.CreateTimer(_ => Wake(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        cursor = new CursorWriter(directory, epoch, committedOffset, Offsets, options.CursorInterval, disk, clock, logger);
        writer = new Thread(WriteGroups) { IsBackground = true, Name = "journal writer" };
        writer.Start();
    }

    /// <summary>
    /// Opens the journal of a directory, or makes one. Damage is logged, not thrown. A directory that holds a journal need not be writable now: what is in it
    /// can be read, and appends wait.
    /// </summary>
    /// <exception cref="JournalLockedException">It is open elsewhere.</exception>
    /// <exception cref="IOException">The directory cannot be used now (<see cref="DiskError"/> says whether waiting helps), or holds a later version of the format.</exception>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static DurableJournal Open(JournalOptions options, TimeProvider clock, ILogger logger) => Open(options, clock, logger, new Disk());

    internal static DurableJournal Open(JournalOptions options, TimeProvider clock, ILogger logger, Disk disk)
    {
        ArgumentException.ThrowIfNullOrEmpty(options.Directory);
        if (options.MaxBytes < 8 * 1024)
            throw new ArgumentException($"MaxBytes is {options.MaxBytes}; it must be at least 8192 bytes.", nameof(options));
        if (options.SegmentBytes < 1024)
            throw new ArgumentException($"SegmentBytes is {options.SegmentBytes}; it must be at least 1024 bytes.", nameof(options));

        var directory = Path.GetFullPath(options.Directory);
        FileLock? lockFile = null;
        try
        {
            var parent = Path.GetDirectoryName(directory);
            var isNew = !Directory.Exists(directory);
            Directory.CreateDirectory(directory);
            if (isNew && parent is not null)
                disk.FlushDirectory(parent);
            lockFile = FileLock.TryTake(Path.Combine(directory, "lock"));
            if (lockFile is null)
            {
                throw new JournalLockedException(
                    $"The journal {directory} is open in another process. One process at a time may write to it: stop the other one "
                    + $"(fuser {directory}/lock names it), or give this one a directory of its own.");
            }

            var journal = new DurableJournal(options, clock, logger, disk, lockFile);
            lockFile = null;
            return journal;
        }
        catch (Exception e) when (e is (IOException or UnauthorizedAccessException) and not JournalLockedException)
        {
            throw new IOException(
                $"The journal directory {directory} cannot be used: {e.Message}. It must be writable for user {Environment.UserName} and have free space.", e);
        }
        finally
        {
            lockFile?.Dispose();
        }
    }

    /// <summary>Random identity of this journal, 16 hex digits. Offsets of different epochs have nothing to do with each other.</summary>
    public string Epoch { get; }

    /// <summary>Offset that the next reading will get, those not yet durable left out.</summary>
    public long NextOffset
    {
        get
        {
            lock (gate)
                return nextOffset;
        }
    }

    /// <summary>First offset that is not committed.</summary>
    public long CommittedOffset
    {
        get
        {
            lock (gate)
                return committedOffset;
        }
    }

    /// <summary>First offset that is still stored, committed or not.</summary>
    public long FirstOffset
    {
        get
        {
            lock (gate)
                return segments[0].First;
        }
    }

    /// <summary>Bytes that the segment files take.</summary>
    public long SizeBytes
    {
        get
        {
            lock (gate)
                return sizeBytes;
        }
    }

    /// <summary>
    /// Readings that are stored and not committed; 0 means that nothing is left to deliver. <see cref="CommittedOffset"/> may be less than
    /// <see cref="NextOffset"/> even then: offsets that were skipped after damage belong to no reading.
    /// </summary>
    public long BacklogReadings
    {
        get
        {
            lock (gate)
                return StoredFrom(committedOffset);
        }
    }

    /// <summary>Readings that are stored from <paramref name="offset"/> on.</summary>
    public long ReadingsFrom(long offset)
    {
        lock (gate)
            return StoredFrom(offset);
    }

    /// <summary>
    /// Age of the oldest reading that is not committed, by the wall clock; null if there is none. Up to 10 s too high, and up to a segment's
    /// span too high for what was stored before the journal was opened and is not in the last segment.
    /// </summary>
    public TimeSpan? OldestUncommittedAge
    {
        get
        {
            lock (gate)
            {
                var oldest = segments.Find(segment => segment.ReadingsFrom(committedOffset) > 0);
                if (oldest is null)
                    return null;
                var mark = oldest.Marks.FindLast(mark => mark.Offset <= committedOffset);
                if (mark == default)
                    mark = oldest.Marks[0];
                var age = clock.GetUtcNow() - DateTimeOffset.FromUnixTimeMilliseconds(mark.WallMilliseconds);
                return age > TimeSpan.Zero ? age : TimeSpan.Zero;
            }
        }
    }

    /// <summary>Why appends wait: what is full, and what to do. Null while they do not.</summary>
    public string? FullReason
    {
        get
        {
            lock (gate)
                return fullReason;
        }
    }

    /// <summary>Whether appends wait for space.</summary>
    public bool IsFull => FullReason is not null;

    /// <summary>
    /// Whether an append of so many bytes would be stored at once. For a caller that must not wait inside the append; the answer is a forecast, because
    /// others use the disk too.
    /// </summary>
    /// <returns>Null, or what is full and what to do.</returns>
    public string? WhyNoRoomFor(long bytes)
    {
        lock (gate)
        {
            // Then the next group begins a new segment and the old one goes right after.
            if (flushProblem is null && segments[^1].End <= committedOffset)
                return null;
            if (sizeBytes + bytes + SegmentHeader.Bytes > options.MaxBytes && segments[0].End > committedOffset)
                return SizeProblem();
        }
        if (!TryFlushTail() && flushProblem is { } problem)
            return RefusalOf(problem);
        try
        {
            return reserveBytes > 0 && disk.FreeBytes(directory) is var free && free - bytes < reserveBytes ? SpaceProblem(free) : null;
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            return RefusalOf(e);
        }
    }

    static string RefusalOf(Exception problem) => $"the disk refuses to store: {problem.Message}";

    /// <summary>What was found at the start counts as stored once it is known to be on the disk: nothing may be acknowledged or appended before.</summary>
    bool TryFlushTail()
    {
        string path;
        lock (gate)
        {
            if (flushProblem is null)
                return true;
            if (clock.GetElapsedTime(flushTriedAt) < RetryInterval)
                return false;
            flushTriedAt = clock.GetTimestamp();
            path = segments[^1].Path;
        }

        try
        {
            Recovery.FlushTail(disk, path);
            lock (gate)
                flushProblem = null;
            return true;
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            lock (gate)
                flushProblem = e;
            return false;
        }
    }

    string SizeProblem() => $"{sizeBytes} of at most {options.MaxBytes} bytes are used and {committedOffset} is the first offset not delivered; "
        + "restore delivery, or raise JOURNAL_MAX_BYTES";

    string SpaceProblem(long free) => $"{free} bytes are free on the file system of {directory} and {reserveBytes} stay in reserve; free some space there";

    /// <summary>Free space of the file system, in bytes.</summary>
    public long FreeBytes => disk.FreeBytes(directory);

    /// <summary>Files in quarantine/ now: each is one piece of damage that nobody has dealt with.</summary>
    public int QuarantinedFiles => damage.Quarantined.Files;

    /// <summary>Bytes in quarantine/.</summary>
    public long QuarantinedBytes => damage.Quarantined.Bytes;

    /// <summary>
    /// Readings that damage has cost in the journal's life, restarts included, as far as their number is known; without those that had been delivered and those
    /// that were recovered.
    /// </summary>
    public long LostReadings => damage.LostReadings;

    /// <summary>Damaged places found in the journal's life.</summary>
    public long DamagedPlaces => damage.DamagedPlaces;

    /// <summary>fsync calls since the journal was opened.</summary>
    public long Flushes => disk.Flushes;

    /// <summary>Bytes given to write calls since the journal was opened, those of cursor and repairs included.</summary>
    public long BytesWritten => disk.BytesWritten;

    /// <inheritdoc cref="AppendAsync(IReadOnlyList{JournalRecord}, CancellationToken)"/>
    public ValueTask<long> AppendAsync(JournalRecord record, CancellationToken cancellationToken = default)
    {
        var bytes = Check(record);
        AppendGroup group;
        long relative;
        lock (gate)
        {
            group = GroupFor(bytes, record.Count);
            relative = group.Count;
            group.Add(record);
        }

        return WhenStored(group, relative, cancellationToken);
    }

    /// <summary>
    /// Appends records, one behind the other. Completes when they are on disk; only then may their sender be acknowledged. Payloads are copied before
    /// this returns. Appends are stored in the order of the calls. While the journal is full the returned task waits.
    /// </summary>
    /// <returns>Offset of the first reading of the first record; the others follow without a gap.</returns>
    /// <exception cref="OperationCanceledException">The wait was given up. The records may be stored nevertheless.</exception>
    /// <exception cref="ObjectDisposedException">The journal was closed; the records are not stored.</exception>
    /// <exception cref="ArgumentException">A record is too large or counts too many readings, or there is none.</exception>
    /// <exception cref="IOException">The journal failed for good; see the log.</exception>
    public ValueTask<long> AppendAsync(IReadOnlyList<JournalRecord> records, CancellationToken cancellationToken = default)
    {
        if (records.Count == 0)
            throw new ArgumentException("There is no record to append.", nameof(records));
        long bytes = 0;
        long count = 0;
        for (var i = 0; i < records.Count; i++)
        {
            bytes += Check(records[i]);
            count += records[i].Count;
        }

        if (count > Frame.MaxCount || bytes > options.MaxBytes / 2 || bytes > int.MaxValue / 4)
        {
            throw new ArgumentException(
                $"One append of {bytes} bytes and {count} readings is too large: at most {Frame.MaxCount} readings and half of MaxBytes ({options.MaxBytes}).",
                nameof(records));
        }

        AppendGroup group;
        long relative;
        lock (gate)
        {
            group = GroupFor((int)bytes, (int)count);
            relative = group.Count;
            for (var i = 0; i < records.Count; i++)
                group.Add(records[i]);
        }

        return WhenStored(group, relative, cancellationToken);
    }

    /// <summary>A reader of its own, whose first entry is the one that holds <paramref name="offset"/>, or the first one after it.</summary>
    public JournalReader OpenReader(long offset) => new(this, disk, offset);

    /// <summary>
    /// Says that the sink has everything below <paramref name="offset"/>: those readings need not be kept. Lower than before changes nothing. Cheap:
    /// the cursor is written every few seconds, unless <paramref name="durable"/> asks for it now. Higher than <see cref="NextOffset"/> means that the
    /// storage lost readings which the sink has; numbering then goes on at <paramref name="offset"/>, so say it before the first append.
    /// </summary>
    /// <exception cref="IOException">A durable commit could not be written; it holds in this process and may be repeated.</exception>
    public void Commit(long offset, bool durable = false)
    {
        bool reclaimed;
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(closing, this);
            if (offset > nextOffset)
            {
                logger.CommitBeyondEnd(directory, offset, nextOffset);
                nextOffset = givenOut = offset;
            }

            committedOffset = Math.Max(committedOffset, offset);
            reclaimed = Reclaim();
            if (reclaimed)
                Monitor.PulseAll(gate);
        }

        if (reclaimed)
            FlushAfterReclaim();
        cursor.Save(durable);
    }

    /// <summary>
    /// Takes commits back, because the sink says that it has less: what is still stored from <paramref name="offset"/> on counts as not committed.
    /// </summary>
    /// <returns>The first offset not committed now; more than <paramref name="offset"/> if what lay between is no longer stored.</returns>
    public long Rewind(long offset)
    {
        long result;
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(closing, this);
            committedOffset = result = Math.Clamp(offset, segments[0].First, committedOffset);
        }

        cursor.SaveLower();
        return result;
    }

    /// <summary>Writes what has been appended (unless the journal is full), writes the cursor and gives the directory free.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (disposed)
                return;
            disposed = true;
            closing = true;
            Monitor.PulseAll(gate);
        }

        writer.Join();
        wakeTimer.Dispose();
        try
        {
            cursor.Close(save: fault is null);
        }
        finally
        {
            damage.Save(FirstOffset);
            active?.Dispose();
            lockFile.Dispose();
            lock (gate)
                NotifyReaders();
        }
    }

    /// <summary>Called with the gate held.</summary>
    long StoredFrom(long offset)
    {
        long readings = 0;
        for (var i = segments.Count - 1; i >= 0 && segments[i].End > offset; i--)
            readings += segments[i].ReadingsFrom(offset);
        return readings;
    }

    /// <summary>What a reader needs to continue: up to where it may read, the damage that begins there, and whether another segment follows.</summary>
    internal ReaderState StateOf(Segment segment, long position, long offset)
    {
        lock (gate)
        {
            foreach (var gap in segment.Gaps)
            {
                if (gap.EndPosition > position || gap.EndOffset > offset)
                    return new ReaderState(Math.Max(position, gap.Position), gap, segment.End, ReferenceEquals(segment, segments[^1]), version);
            }

            return new ReaderState(segment.Size, null, segment.End, ReferenceEquals(segment, segments[^1]), version);
        }
    }

    /// <summary>The segment that holds <paramref name="offset"/>, or else the first one behind it, or else the last.</summary>
    internal Segment SegmentAt(long offset)
    {
        lock (gate)
            return segments.Find(segment => segment.End > offset) ?? segments[^1];
    }

    internal Segment? SegmentAfter(Segment segment)
    {
        lock (gate)
            return segments.Find(other => other.First > segment.First);
    }

    /// <summary>Reads a segment through in which a reader found no good frame where one should be, and notes what is damaged.</summary>
    /// <param name="segment">The segment.</param>
    /// <param name="skipUnreadable">Whether bytes that the device does not give back count as damaged.</param>
    /// <exception cref="IOException">It cannot be read now.</exception>
    internal void Examine(Segment segment, bool skipUnreadable = false)
    {
        lock (examining)
        {
            long limit, end, committed, first;
            bool isStored;
            lock (gate)
            {
                (limit, end, committed, first) = (segment.Size, segment.End, committedOffset, segments[0].First);
                isStored = segments.Contains(segment);
            }

            List<Gap> gaps;
            try
            {
                gaps = new SegmentSurvey(disk, segment.Path, epoch, segment.First) { SkipUnreadable = skipUnreadable }.Examine(limit, end).Gaps;
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                // Reclaimed, or deleted by somebody.
                gaps = [new Gap(SegmentHeader.Bytes, limit, segment.First, end)];
            }

            lock (gate)
            {
                segment.Gaps = gaps;
                // What is damaged already is not written to any more.
                rollNext |= gaps.Count > 0 && ReferenceEquals(segment, segments[^1]);
            }

            if (isStored)
                damage.Report(segment, gaps, committed, first);
        }
    }

    /// <summary>The device did not give back bytes of a segment.</summary>
    /// <returns>Whether it has been asked for long enough: then the damage is noted, and reading continues behind it.</returns>
    internal bool StepOverUnreadable(Segment segment, IOException problem)
    {
        lock (gate)
        {
            if (segment.UnreadableSince is not { } since)
            {
                segment.UnreadableSince = clock.GetTimestamp();
                logger.ReadFails(directory, Path.GetFileName(segment.Path), problem.Message, ReadPatience);
                return false;
            }

            if (clock.GetElapsedTime(since) < ReadPatience)
                return false;
        }

        Examine(segment, skipUnreadable: true);
        NoteReadable(segment);
        return true;
    }

    internal void NoteReadable(Segment segment)
    {
        lock (gate)
            segment.UnreadableSince = null;
    }

    /// <returns>False once the journal is closed.</returns>
    internal async ValueTask<bool> WaitForChangeAsync(long seen, CancellationToken cancellationToken)
    {
        Task wait;
        lock (gate)
        {
            if (closing)
                return false;
            if (version != seen)
                return true;
            wait = (changed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }

        await wait.WaitAsync(cancellationToken);
        lock (gate)
            return !closing;
    }

    int Check(in JournalRecord record)
    {
        var length = (long)record.Prefix.Length + record.Payload.Length;
        if (length > Frame.MaxPayloadBytes || length > options.MaxBytes / 2 - 32)
            throw new ArgumentException($"A record of {length} bytes is too large: at most {Frame.MaxPayloadBytes} bytes, and half of MaxBytes ({options.MaxBytes}).");
        if (record.Count is < 1 or > Frame.MaxCount)
            throw new ArgumentException($"A record of {record.Count} readings cannot be: 1 to {Frame.MaxCount}.");
        return Frame.Size((int)length, record.Count);
    }

    static async ValueTask<long> WhenStored(AppendGroup group, long relative, CancellationToken cancellationToken) =>
        await group.Stored.WaitAsync(cancellationToken) + relative;

    /// <summary>The group that takes the next append; called with the gate held.</summary>
    AppendGroup GroupFor(int bytes, int count)
    {
        ObjectDisposedException.ThrowIf(closing, this);
        if (fault is not null)
            throw new IOException($"The journal {directory} stopped: {fault.Message}", fault);
        if (filling is null || (filling.Length > 0 && (filling.Length + bytes > groupBytes || filling.Count + count > Frame.MaxCount)))
        {
            filling = new AppendGroup(spareBuffer, clock.GetTimestamp());
            spareBuffer = null;
            groups.Enqueue(filling);
            Monitor.PulseAll(gate);
        }

        filling.EnsureRoom(bytes);
        return filling;
    }

    long OpenMilliseconds => openMillisecondsBase + (long)clock.GetElapsedTime(openedAt).TotalMilliseconds;

    void WriteGroups()
    {
        AppendGroup? group = null;
        try
        {
            while ((group = TakeGroup()) is not null)
            {
                if (!Store(group))
                    group.FailWith(new ObjectDisposedException(nameof(DurableJournal), "The journal was closed while it was full; the records are not stored."));
                lock (gate)
                {
                    if (group.Buffer.Length <= KeptBufferBytes)
                        spareBuffer = group.Buffer;
                }
            }
        }
        catch (Exception e)
        {
            // Not an I/O error, so nothing that a retry heals. Whoever waits hears of it, and so does whoever comes.
            logger.WriterStopped(e, directory);
            lock (gate)
            {
                fault = e;
                group?.FailWith(e);
                while (groups.TryDequeue(out var waiting))
                    waiting.FailWith(e);
            }
        }
    }

    /// <summary>Waits for a group and for its company.</summary>
    AppendGroup? TakeGroup()
    {
        lock (gate)
        {
            while (true)
            {
                if (groups.TryPeek(out var group))
                {
                    var wait = options.Linger - clock.GetElapsedTime(group.CreatedAt);
                    if (wait <= TimeSpan.Zero || closing || groups.Count > 1)
                    {
                        if (ReferenceEquals(group, filling))
                            filling = null;
                        return groups.Dequeue();
                    }

                    wakeTimer.Change(wait, Timeout.InfiniteTimeSpan);
                }
                else if (closing)
                {
                    return null;
                }

                Monitor.Wait(gate);
            }
        }
    }

    void Wake()
    {
        lock (gate)
            Monitor.PulseAll(gate);
    }

    /// <summary>Stores a group, however long the disk refuses it. False if the journal was closed meanwhile.</summary>
    bool Store(AppendGroup group)
    {
        long? waitingSince = null;
        while (true)
        {
            string? problem;
            try
            {
                problem = !TryFlushTail() && flushProblem is { } unsynced ? RefusalOf(unsynced) : MissingSpace(group, refresh: waitingSince is not null);
                if (problem is null)
                {
                    var first = Write(group);
                    if (waitingSince is { } since)
                    {
                        lock (gate)
                            fullReason = null;
                        logger.NotFull(directory, clock.GetElapsedTime(since));
                    }

                    group.CompleteWith(first);
                    return true;
                }
            }
            catch (Exception e) when (DiskError.IsFileProblem(e))
            {
                problem = RefusalOf(e);
            }

            if (waitingSince is null)
            {
                waitingSince = clock.GetTimestamp();
                logger.Full(directory, problem);
            }

            lock (gate)
            {
                fullReason = problem;
                if (closing)
                    return false;
                wakeTimer.Change(RetryInterval, Timeout.InfiniteTimeSpan);
                Monitor.Wait(gate);
                // Other callers' appends wake the writer too; they free no space, and trying early costs little.
            }
        }
    }

    string? MissingSpace(AppendGroup group, bool refresh)
    {
        var bytes = group.Length + SegmentHeader.Bytes;
        string? problem = null;
        var reclaimed = false;
        lock (gate)
        {
            if (sizeBytes + bytes > options.MaxBytes)
            {
                reclaimed = Reclaim();
                if (sizeBytes + bytes > options.MaxBytes && !LastIsCommitted())
                {
                    problem = SizeProblem();
                }
            }
        }

        if (problem is null && reserveBytes > 0)
        {
            if (refresh || reclaimed || freeCheckedAt == 0 || disk.BytesWritten - freeCheckedWritten > FreeSpaceCheckBytes
                || clock.GetElapsedTime(freeCheckedAt) > RetryInterval)
            {
                freeBytes = disk.FreeBytes(directory);
                freeCheckedAt = clock.GetTimestamp();
                freeCheckedWritten = disk.BytesWritten;
            }

            if (freeBytes - bytes < reserveBytes)
            {
                lock (gate)
                {
                    reclaimed |= Reclaim();
                    if (!LastIsCommitted())
                    {
                        problem = SpaceProblem(freeBytes);
                    }
                }
            }
        }

        if (reclaimed)
            FlushAfterReclaim();
        return problem;
    }

    /// <summary>
    /// Whether the last segment holds only what is delivered. Then the next group may begin a new one although space is short, because the old one goes
    /// right after.
    /// </summary>
    bool LastIsCommitted()
    {
        var last = segments[^1];
        if (last.End == last.First || last.End > committedOffset)
            return false;
        rollNext = true;
        return true;
    }

    /// <returns>Offset of the group's first reading.</returns>
    long Write(AppendGroup group)
    {
        Segment last;
        long first, mayGrow;
        bool roll;
        lock (gate)
        {
            last = segments[^1];
            first = nextOffset;
            mayGrow = options.MaxBytes - sizeBytes - group.Length - SegmentHeader.Bytes;
            roll = rollNext || first != last.End || last.End - last.First + group.Count > Frame.MaxCount
                || (last.End > last.First && last.Size + group.Length > segmentBytes);
        }

        if (!roll || first == last.First)
            WriteBehind(group, last, first, mayGrow, withHeader: roll);
        else
            WriteSegment(group, last, first);
        return first;
    }

    /// <param name="group">What to write.</param>
    /// <param name="last">The segment that takes it.</param>
    /// <param name="first">Offset of the group's first reading.</param>
    /// <param name="mayGrow">Bytes that padding behind the group may take.</param>
    /// <param name="withHeader">The segment has no readings and its header is in doubt: write it again.</param>
    void WriteBehind(AppendGroup group, Segment last, long first, long mayGrow, bool withHeader)
    {
        var wall = clock.GetUtcNow().ToUnixTimeMilliseconds();
        var open = OpenMilliseconds;
        var withTime = !withHeader && open - last.Marks[^1].OpenMilliseconds >= MarkInterval.TotalMilliseconds;
        var withOffset = !withHeader && last.Size >= last.MarkDueAt;
        group.SetFirst(first, epoch);
        var position = withHeader ? 0 : last.Size;
        var bytes = withHeader
            ? group.WithHeader(last.Header)
            : group.WithMarks(withTime ? (wall, open) : null, withOffset ? (first, epoch) : null, position, mayGrow);
        try
        {
            active ??= new ActiveFile(disk, disk.OpenFile(last.Path, create: false));
            active.Write(bytes, position, last.Size);
        }
        catch (IOException) when (withHeader || active is { IsInDoubt: true })
        {
            lock (gate)
                rollNext = true;
            throw;
        }

        lock (gate)
        {
            var added = position + bytes.Length - last.Size;
            last.Size += added;
            last.FileBytes = last.Size;
            last.End = first + group.Count;
            if (withTime)
                last.AddMark(new TimeMark(first, wall, open));
            if (withHeader || withOffset || group.HasMarks)
                last.MarkDueAt = last.Size - group.BytesBehindMark + AppendGroup.MarkEveryBytes;
            rollNext &= !withHeader;
            Publish(last, added);
        }
    }

    void WriteSegment(AppendGroup group, Segment last, long first)
    {
        var header = new SegmentHeader(epoch, first, last.End, clock.GetUtcNow().ToUnixTimeMilliseconds(), OpenMilliseconds);
        var path = Path.Combine(directory, Segment.FileName(first));
        group.SetFirst(first, epoch);
        var bytes = group.WithHeader(header);
        ActiveFile begun;
        try
        {
            begun = ActiveFile.Begin(disk, path, bytes);
        }
        catch (IOException)
        {
            TryDelete(path);
            throw;
        }

        active?.Dispose();
        active = begun;
        bool reclaimed;
        lock (gate)
        {
            var segment = new Segment(path, header)
            {
                Size = bytes.Length,
                FileBytes = bytes.Length,
                End = first + group.Count,
                MarkDueAt = bytes.Length - group.BytesBehindMark + AppendGroup.MarkEveryBytes,
            };
            segments.Add(segment);
            rollNext = false;
            Publish(segment, bytes.Length);
            reclaimed = Reclaim();
        }

        if (reclaimed)
            FlushAfterReclaim();
    }

    /// <summary>Makes what was just stored visible; called with the gate held.</summary>
    void Publish(Segment segment, long bytes)
    {
        nextOffset = Math.Max(nextOffset, segment.End);
        givenOut = Math.Max(givenOut, segment.End);
        sizeBytes += bytes;
        NotifyReaders();
    }

    void NotifyReaders()
    {
        version++;
        changed?.TrySetResult();
        changed = null;
    }

    /// <summary>Deletes what is delivered; called with the gate held.</summary>
    bool Reclaim()
    {
        var any = false;
        while (segments.Count > 1 && segments[0].End <= committedOffset && segments[1].First <= committedOffset)
        {
            if ((!any && !IsReadyToReclaim()) || !TryRemove(segments[0]))
                break;
            sizeBytes -= segments[0].FileBytes;
            segments.RemoveAt(0);
            any = true;
        }

        return any;
    }

    /// <summary>Deletes a segment; keeps it in quarantine/ if the device could not read a part of it.</summary>
    bool TryRemove(Segment segment) =>
        segment.Gaps.Any(gap => gap.IsUnreadable) && damage.HasRoomFor(segment) ? damage.TryKeepWhole(segment) : TryDelete(segment.Path);

    bool IsReadyToReclaim()
    {
        try
        {
            return options.BeforeReclaim?.Invoke() ?? true;
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            logger.NotDeleted(directory, Path.GetFileName(segments[0].Path), e.Message);
            return false;
        }
    }

    bool TryDelete(string path)
    {
        try
        {
            disk.Delete(path);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            logger.NotDeleted(directory, Path.GetFileName(path), e.Message);
            return false;
        }
    }

    /// <summary>Makes deletions durable. If it fails the files may be back after a power cut, and the next start deletes them again.</summary>
    void FlushAfterReclaim()
    {
        try
        {
            disk.FlushDirectory(directory);
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            logger.NotDeleted(directory, "a delivered segment", e.Message);
        }
    }

    (long Committed, long Next) Offsets()
    {
        lock (gate)
            return (committedOffset, givenOut);
    }
}
