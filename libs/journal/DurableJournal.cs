using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Journal;

/// <summary>
/// An append-only log of readings on disk: the agent's outbox and each forwarder's store. FORMAT.md beside this file describes the files.
/// </summary>
/// <remarks>
/// <para>All members may be called from any thread.</para>
/// <para>This class joins the parts: <see cref="AppendQueue"/> gathers appends into groups, <see cref="GroupWriter"/> stores them,
/// <see cref="SegmentSet"/> knows the files and offsets, <see cref="Capacity"/> says what fits, <see cref="CursorWriter"/> keeps what is
/// committed, <see cref="SegmentExaminer"/> and <see cref="DamageBook"/> deal with damage. <see cref="Recovery"/> makes sense of the
/// directory when it is opened.</para>
/// </remarks>
public sealed class DurableJournal : IDisposable
{
    /// <summary>A group takes no more appends from this size on, in bytes.</summary>
    const int GroupBytes = 1024 * 1024;

    readonly JournalOptions options;
    readonly JournalEnvironment environment;
    readonly FileLock lockFile;
    readonly DamageBook damage;
    readonly SegmentSet segments;
    readonly SegmentExaminer examiner;
    readonly FoundTail foundTail;
    readonly Capacity capacity;
    readonly AppendQueue queue;
    readonly SegmentWriter segmentWriter;
    readonly GroupWriter writer;
    readonly CursorWriter cursor;

    DurableJournal(JournalOptions options, TimeProvider clock, ILogger logger, Disk disk, FileLock lockFile)
    {
        this.options = options;
        this.lockFile = lockFile;
        var directory = Path.GetFullPath(options.Directory);
        var found = new Recovery(directory, options.SkipUnreadable, disk, clock, logger).Run();
        environment = new JournalEnvironment(directory, found.Epoch, disk, clock, logger);
        Epoch = EpochFile.Text(found.Epoch);
        capacity = new Capacity(environment, options);
        damage = new DamageBook(directory, options.MaxBytes / 4, disk, clock, logger);
        if (found.IsNew)
            damage.BeginAgain();
        else if (found.Damage.Count > 0)
            damage.Report(found.Segments[^1], found.Damage, found.Committed, found.Segments[0].First);

        var segmentBytes = Math.Max(1024, Math.Min(options.SegmentBytes, options.MaxBytes / 8));
        var removal = new SegmentRemoval(environment, damage, options.BeforeReclaim, isFlushDue: found.FlushProblem is not null);
        var openMilliseconds = found.Segments.Max(segment => segment.Marks.Max(mark => mark.OpenMilliseconds));
        foundTail = new FoundTail(environment, found.Segments[^1].Path, found.FlushProblem);
        segments = new SegmentSet(environment, found, removal, segmentBytes);
        examiner = new SegmentExaminer(environment, segments, damage);
        segments.DeleteDelivered();

        queue = new AppendQueue(directory, options.Linger, (int)Math.Min(GroupBytes, segmentBytes), clock);
        cursor = new CursorWriter(environment, found.Committed, () => segments.Cursor, options.CursorInterval);
        segmentWriter = new SegmentWriter(environment, segments, removal, capacity, openMilliseconds);
        writer = new GroupWriter(environment, queue, segments, segmentWriter, capacity, foundTail);
        writer.Start();
    }

    /// <summary>
    /// Opens the journal of a directory, or makes one. Damage is logged, not thrown. A directory that holds a journal need not be writable
    /// now: it can be read, and appends wait.
    /// </summary>
    /// <exception cref="JournalLockedException">It is open elsewhere.</exception>
    /// <exception cref="IOException">The directory cannot be used now (<see cref="DiskError"/> says whether waiting helps), or holds a
    /// later version of the format.</exception>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static DurableJournal Open(JournalOptions options, TimeProvider clock, ILogger logger) =>
        Open(options, clock, logger, new Disk());

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
                        + $"(fuser {directory}/lock names it), or give this one a directory of its own."
                );
            }

            var journal = new DurableJournal(options, clock, logger, disk, lockFile);
            lockFile = null;
            return journal;
        }
        catch (Exception e)
            when (e is (IOException or UnauthorizedAccessException) and not (JournalLockedException or LaterFormatException))
        {
            throw new IOException(
                $"The journal directory {directory} cannot be used: {e.Message}. It must be writable for user {Environment.UserName} "
                    + "and have free space.",
                e
            );
        }
        finally
        {
            lockFile?.Dispose();
        }
    }

    /// <summary>Random identity of this journal, 16 hex digits. Offsets of different epochs are unrelated.</summary>
    public string Epoch { get; }

    /// <summary>Offset that the next reading will get. Readings that are not durable yet do not count.</summary>
    public long NextOffset => segments.NextOffset;

    /// <summary>First offset that is not committed.</summary>
    public long CommittedOffset => segments.CommittedOffset;

    /// <summary>First offset that is still stored, committed or not.</summary>
    public long FirstOffset => segments.FirstOffset;

    /// <summary>Bytes that the segment files take.</summary>
    public long SizeBytes => segments.SizeBytes;

    /// <summary>
    /// Readings that are stored and not committed; 0 means that nothing is left to deliver. <see cref="CommittedOffset"/> may be less than
    /// <see cref="NextOffset"/> even then: offsets that were skipped after damage belong to no reading.
    /// </summary>
    public long BacklogReadings => segments.BacklogReadings;

    /// <summary>
    /// Age of the oldest reading that is not committed, by the wall clock; null if there is none. Up to 10 s too high. For readings stored
    /// before the journal was opened, and not in its last segment, it may be too high by the time that a whole segment covers.
    /// </summary>
    public TimeSpan? OldestUncommittedAge
    {
        get
        {
            if (segments.OldestUncommitted() is not { } mark)
                return null;
            var age = environment.Clock.GetUtcNow() - DateTimeOffset.FromUnixTimeMilliseconds(mark.WallMilliseconds);
            return age > TimeSpan.Zero ? age : TimeSpan.Zero;
        }
    }

    /// <summary>Why appends wait: what is full, and what to do. Null while they do not wait.</summary>
    public string? FullReason => writer.FullReason;

    /// <summary>Whether appends wait for space.</summary>
    public bool IsFull => FullReason is not null;

    /// <summary>Free space of the file system, in bytes.</summary>
    public long FreeBytes => environment.Disk.FreeBytes(environment.Directory);

    /// <summary>Files in quarantine/ now: each is a piece of damage that the operator has not dealt with yet.</summary>
    public int QuarantinedFiles => damage.Quarantined.Files;

    /// <summary>Bytes in quarantine/.</summary>
    public long QuarantinedBytes => damage.Quarantined.Bytes;

    /// <summary>
    /// Readings that damage has cost in the journal's life, restarts included, as far as their number is known. Readings that had been
    /// delivered before, or were recovered since, do not count.
    /// </summary>
    public long LostReadings => damage.LostReadings;

    /// <summary>How long ago the newest of these losses was found; null if there was none, or an earlier release found it.</summary>
    public TimeSpan? LossAge => damage.LossAge;

    /// <summary>Damaged places found in the journal's life.</summary>
    public long DamagedPlaces => damage.DamagedPlaces;

    /// <summary>fsync calls since the journal was opened.</summary>
    public long Flushes => environment.Disk.Flushes;

    /// <summary>Bytes given to write calls since the journal was opened, those of cursor and repairs included.</summary>
    public long BytesWritten => environment.Disk.BytesWritten;

    /// <summary>Readings that are stored from <paramref name="offset"/> on.</summary>
    public long ReadingsFrom(long offset) => segments.ReadingsFrom(offset);

    /// <summary>
    /// Whether an append of this many bytes would be stored at once. For a caller that must not wait inside the append. The answer is a
    /// forecast, because others use the disk too.
    /// </summary>
    /// <returns>Null, or what is full and what to do.</returns>
    public string? WhyNoRoomFor(long bytes)
    {
        // The next group then begins a new segment, and the old one is deleted right after.
        if (foundTail.IsDurable && segments.IsLastCommitted)
            return null;
        if (!segments.IsFirstCommitted && capacity.SizeProblem(bytes, SizeBytes, CommittedOffset) is { } problem)
            return problem;
        if (foundTail.TryFlush() is { } unsynced)
            return Capacity.RefusalOf(unsynced);
        try
        {
            return capacity.SpaceProblem(bytes, measureNow: true);
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            return Capacity.RefusalOf(e);
        }
    }

    /// <inheritdoc cref="AppendAsync(IReadOnlyList{JournalRecord}, CancellationToken)"/>
    public ValueTask<long> AppendAsync(JournalRecord record, CancellationToken cancellationToken = default)
    {
        var group = queue.Add(record, Check(record), out var before);
        return WhenStored(group, before, cancellationToken);
    }

    /// <summary>
    /// Appends records, one after the other. Completes when they are on disk; only then may their sender be acknowledged. Payloads are
    /// copied before this returns. Appends are stored in the order of the calls. While the journal is full the returned task waits.
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
                $"One append of {bytes} bytes and {count} readings is too large: at most {Frame.MaxCount} readings and half of MaxBytes "
                    + $"({options.MaxBytes}).",
                nameof(records)
            );
        }

        var group = queue.Add(records, (int)bytes, (int)count, out var before);
        return WhenStored(group, before, cancellationToken);
    }

    /// <summary>Opens a new reader. Its first entry is the one that holds <paramref name="offset"/>, or the first one after it.</summary>
    public JournalReader OpenReader(long offset) => new(segments, examiner, environment.Disk, offset);

    /// <summary>
    /// Notes that the sink has everything below <paramref name="offset"/>: those readings need not be kept. An offset lower than before
    /// changes nothing. Cheap: the cursor is written every <see cref="JournalOptions.CursorInterval"/>, unless <paramref name="durable"/>
    /// asks for it now. An offset higher than <see cref="NextOffset"/> means that the storage lost readings which the sink has. Numbering
    /// then continues at <paramref name="offset"/>, so commit it before the first append.
    /// </summary>
    /// <exception cref="IOException">A durable commit could not be written; it holds in this process and may be repeated.</exception>
    /// <exception cref="ObjectDisposedException">The journal was closed.</exception>
    public void Commit(long offset, bool durable = false)
    {
        queue.ThrowIfClosed();
        if (segments.Commit(offset))
            queue.WakeWriter();
        cursor.Save(durable);
    }

    /// <summary>
    /// Takes commits back, because the sink says that it has less: readings still stored from <paramref name="offset"/> on count as not
    /// committed.
    /// </summary>
    /// <returns>The first offset not committed now; more than <paramref name="offset"/> if the readings between are no longer
    /// stored.</returns>
    /// <exception cref="IOException">The lower cursor could not be written; it holds in this process.</exception>
    /// <exception cref="ObjectDisposedException">The journal was closed.</exception>
    public long Rewind(long offset)
    {
        queue.ThrowIfClosed();
        var committed = segments.Rewind(offset);
        cursor.SaveLower();
        return committed;
    }

    /// <summary>Writes what has been appended (unless the journal is full), writes the cursor and unlocks the directory.</summary>
    public void Dispose()
    {
        if (!queue.Close())
            return;
        writer.Join();
        queue.Dispose();
        try
        {
            cursor.Close(save: queue.Fault is null);
        }
        finally
        {
            try
            {
                damage.Save(FirstOffset);
            }
            finally
            {
                segmentWriter.Dispose();
                lockFile.Dispose();
                segments.Close();
            }
        }
    }

    static async ValueTask<long> WhenStored(AppendGroup group, long readingsBefore, CancellationToken cancellationToken) =>
        await group.Stored.WaitAsync(cancellationToken) + readingsBefore;

    int Check(in JournalRecord record)
    {
        var length = (long)record.Prefix.Length + record.Payload.Length;
        if (length > Frame.MaxPayloadBytes || length > options.MaxBytes / 2 - 32)
        {
            throw new ArgumentException(
                $"A record of {length} bytes is too large: at most {Frame.MaxPayloadBytes} bytes, and half of MaxBytes "
                    + $"({options.MaxBytes})."
            );
        }

        if (record.Count is < 1 or > Frame.MaxCount)
            throw new ArgumentException($"A record cannot have {record.Count} readings; it must have 1 to {Frame.MaxCount}.");
        return Frame.Size((int)length, record.Count);
    }
}
