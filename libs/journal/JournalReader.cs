namespace ThermalStreaming.Journal;

/// <summary>
/// Reads a journal in order, from any offset, while it is being written. Gives only records that an fsync has covered. Damage is skipped:
/// then an entry's <see cref="JournalEntry.Offset"/> is more than the <see cref="JournalEntry.EndOffset"/> of the one before.
/// </summary>
/// <remarks>For one thread at a time; any number of readers side by side.</remarks>
public sealed class JournalReader : IDisposable
{
    /// <summary>
    /// How often to retry a place that reads wrong here, but right when the segment is examined, before the caller gets an error.
    /// </summary>
    const int MostMisreads = 3;

    readonly SegmentSet segments;
    readonly SegmentExaminer examiner;
    readonly Disk disk;
    readonly long from;

    Segment segment;
    SegmentScanner? scanner;
    byte[]? buffer;
    long start = SegmentHeader.Bytes;
    long offset;
    ReaderState state;
    int misreads;
    bool hasFailed;

    internal JournalReader(SegmentSet segments, SegmentExaminer examiner, Disk disk, long from)
    {
        this.segments = segments;
        this.examiner = examiner;
        this.disk = disk;
        this.from = from;
        segment = segments.SegmentAt(from);
        offset = segment.First;
        Refresh();
    }

    long Position => scanner?.Position ?? start;

    /// <summary>The next entry, if there is one by now. Its payload is valid until the next call.</summary>
    /// <exception cref="IOException">A file cannot be opened or read now: too many open files, an I/O error. Nothing is skipped: call again
    /// later.</exception>
    public bool TryRead(out JournalEntry entry)
    {
        while (true)
        {
            try
            {
                if (!TryStep(out entry))
                    return false;
                if (entry.Count > 0 && entry.EndOffset > from)
                    return true;
            }
            catch (IOException e) when (DiskError.IsMedium(e))
            {
                hasFailed = true;
                if (!examiner.TryStepOverUnreadable(segment, e))
                    throw;
                Refresh();
            }
        }
    }

    /// <summary>Waits until <see cref="TryRead"/> is worth calling again after it returned false.</summary>
    /// <returns>False once the journal is closed.</returns>
    public ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default) =>
        segments.WaitForChangeAsync(state.Version, cancellationToken);

    public void Dispose() => scanner?.Dispose();

    /// <summary>Reads a frame, or skips damage or moves to the next segment: then the entry counts no readings. False at the end.</summary>
    bool TryStep(out JournalEntry entry)
    {
        entry = default;
        if (offset >= state.End || Position >= state.Limit)
        {
            Refresh();
            if (offset >= state.End)
            {
                if (state.IsLast)
                    return false;
                MoveOn();
                return true;
            }

            if (Position >= state.Limit)
            {
                if (state.Gap is { } gap)
                    StepOver(gap);
                else
                    Examine(Position);
                return true;
            }
        }

        // The file may be gone: the journal has deleted the segment (then there is a later one), or a person has.
        scanner ??= Open();
        var position = Position;
        var count = 0;
        ReadOnlyMemory<byte> payload = default;
        if (scanner?.Read(state.Limit, out count, out payload) != ScanStatus.Frame || offset + count > state.End)
        {
            Examine(position);
            return true;
        }

        entry = new JournalEntry(offset, count, payload);
        offset += count;
        misreads = 0;
        if (hasFailed)
            examiner.NoteReadable(segment);
        hasFailed = false;
        return true;
    }

    SegmentScanner? Open()
    {
        var opened = SegmentScanner.TryOpen(disk, segment.Path, buffer);
        if (opened is not null)
            opened.Position = start;
        return opened;
    }

    void StepOver(Gap gap)
    {
        offset = Math.Max(offset, gap.EndOffset);
        GoTo(Math.Max(Position, gap.EndPosition));
        Refresh();
    }

    /// <summary>Has the segment examined, because there is no good frame where one should be.</summary>
    void Examine(long position)
    {
        GoTo(position);
        if (++misreads > MostMisreads)
        {
            misreads = 0;
            throw new IOException($"{segment.Path} gives different bytes each time it is read, at byte {position}");
        }

        examiner.Examine(segment);
        Refresh();
    }

    void GoTo(long position)
    {
        start = position;
        if (scanner is not null)
            scanner.Position = position;
    }

    void Refresh() => state = segments.StateOf(segment, Position, offset);

    void MoveOn()
    {
        buffer = scanner?.Buffer ?? buffer;
        scanner?.Dispose();
        scanner = null;
        start = SegmentHeader.Bytes;
        // The segment is not the last one, so there is a later one; and the last one is never deleted.
        segment = segments.SegmentAfter(segment)!;
        offset = segment.First;
        Refresh();
    }
}
