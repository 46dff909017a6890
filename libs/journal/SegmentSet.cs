namespace ThermalStreaming.Journal;

/// <summary>
/// The segment files of a journal, and the offsets: which are stored, which are committed, which comes next. Decides when a new segment
/// begins and which ones are deleted. Thread-safe.
/// </summary>
sealed class SegmentSet
{
    readonly JournalEnvironment environment;
    readonly SegmentRemoval removal;
    readonly long segmentBytes;
    readonly ChangeSignal changes = new();

    // Held while segments are deleted, and taken before the gate.
    readonly Lock deleting = new();

    // Reentrant: JournalOptions.BeforeReclaim is called with it held, and reads offsets.
    readonly Lock gate = new();
    readonly List<Segment> segments;
    long nextOffset;
    long committedOffset;
    long givenOut;
    long sizeBytes;
    bool mustBeginNew;

    /// <param name="environment">The journal.</param>
    /// <param name="found">What was on disk when it was opened.</param>
    /// <param name="removal">Deletes delivered segments.</param>
    /// <param name="segmentBytes">Size from which a new segment begins.</param>
    public SegmentSet(JournalEnvironment environment, RecoveredJournal found, SegmentRemoval removal, long segmentBytes)
    {
        this.environment = environment;
        this.removal = removal;
        this.segmentBytes = segmentBytes;
        segments = found.Segments;
        nextOffset = found.Next;
        givenOut = found.GivenOut;
        committedOffset = found.Committed;
        sizeBytes = segments.Sum(segment => segment.FileBytes);
    }

    /// <summary>Offset that the next reading will get.</summary>
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

    /// <summary>First offset that is still stored.</summary>
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

    /// <summary>What the cursor file should hold: the first offset that is not committed, and the first that was never given out.</summary>
    public (long Committed, long Next) Cursor
    {
        get
        {
            lock (gate)
                return (committedOffset, givenOut);
        }
    }

    /// <summary>Readings that are stored and not committed.</summary>
    public long BacklogReadings
    {
        get
        {
            lock (gate)
                return CountFrom(committedOffset);
        }
    }

    /// <summary>Whether everything in the last segment is committed, so that a new segment frees its space.</summary>
    public bool IsLastCommitted
    {
        get
        {
            lock (gate)
                return segments[^1].End <= committedOffset;
        }
    }

    /// <summary>Whether everything in the first segment is committed.</summary>
    public bool IsFirstCommitted
    {
        get
        {
            lock (gate)
                return segments[0].End <= committedOffset;
        }
    }

    /// <summary>Readings that are stored from <paramref name="offset"/> on.</summary>
    public long ReadingsFrom(long offset)
    {
        lock (gate)
            return CountFrom(offset);
    }

    /// <summary>When the oldest reading that is not committed was appended, or shortly before; null if there is none.</summary>
    public TimeMark? OldestUncommitted()
    {
        lock (gate)
        {
            return segments.Find(segment => segment.ReadingsFrom(committedOffset) > 0)?.MarkBefore(committedOffset);
        }
    }

    /// <summary>Raises the committed offset, and deletes the segments that are then delivered.</summary>
    /// <param name="offset">An offset lower than before changes nothing; one higher than <see cref="NextOffset"/> makes the numbering
    /// continue there.</param>
    /// <returns>Whether space was freed.</returns>
    public bool Commit(long offset)
    {
        lock (gate)
        {
            if (offset > nextOffset)
            {
                environment.Logger.CommitBeyondEnd(environment.Directory, offset, nextOffset);
                nextOffset = givenOut = offset;
            }

            committedOffset = Math.Max(committedOffset, offset);
        }

        return DeleteDelivered();
    }

    /// <summary>Lowers the committed offset to <paramref name="offset"/>, or to the first offset that is still stored.</summary>
    /// <returns>The first offset not committed now.</returns>
    public long Rewind(long offset)
    {
        lock (gate)
            return committedOffset = Math.Clamp(offset, segments[0].First, committedOffset);
    }

    /// <summary>
    /// Deletes the committed segments, except the last one, as far as the journal's owner and the disk allow it. Each deletion is durable
    /// before the next. Otherwise a power cut might bring a segment back without the one behind it, which says where it ends.
    /// </summary>
    /// <returns>Whether space was freed.</returns>
    public bool DeleteDelivered()
    {
        lock (deleting)
        {
            long? allowed = null;
            var hasDeleted = false;
            while (removal.TryFlush() && TryDeleteFirst(ref allowed))
                hasDeleted = true;
            return hasDeleted;
        }
    }

    /// <summary>
    /// Lets the next group begin a new segment if the last one holds readings and all are committed: the last one is then deleted right
    /// after.
    /// </summary>
    /// <returns>Whether that is so.</returns>
    public bool BeginNewIfLastIsDelivered()
    {
        lock (gate)
        {
            var last = segments[^1];
            if (last.End == last.First || last.End > committedOffset)
                return false;
            mustBeginNew = true;
            return true;
        }
    }

    /// <summary>Makes the next group begin a new segment, because nothing may be written behind the end of the last one.</summary>
    public void BeginNew()
    {
        lock (gate)
            mustBeginNew = true;
    }

    /// <summary>Where a group goes. For the writer, the only one that adds groups.</summary>
    public AppendPlace PlaceFor(AppendGroup group)
    {
        lock (gate)
        {
            var last = segments[^1];
            var isNew =
                mustBeginNew
                || nextOffset != last.End
                || last.End - last.First + group.Count > Frame.MaxCount
                || (last.End > last.First && last.Size + group.Length > segmentBytes);
            var mode =
                !isNew ? AppendMode.Behind
                : nextOffset == last.First ? AppendMode.OverHeader
                : AppendMode.NewSegment;
            return new AppendPlace(mode, last, nextOffset);
        }
    }

    /// <summary>Shows readers a group that is on disk behind the last frame of the last segment, or over its header.</summary>
    /// <param name="place">From <see cref="PlaceFor"/>.</param>
    /// <param name="size">The file's size now.</param>
    /// <param name="count">Readings in the group.</param>
    /// <param name="time">The time mark that was written with it; null if none was.</param>
    /// <param name="markDueAt">Where the next offset mark is due; null if that has not changed.</param>
    public void Extend(AppendPlace place, long size, int count, TimeMark? time, long? markDueAt)
    {
        lock (gate)
        {
            var last = place.Last;
            var added = size - last.Size;
            last.Size = last.FileBytes = size;
            last.End = place.First + count;
            if (time is { } mark)
                last.AddMark(mark);
            last.MarkDueAt = markDueAt ?? last.MarkDueAt;
            if (place.Mode == AppendMode.OverHeader)
                mustBeginNew = false;
            Show(last, added);
        }
    }

    /// <summary>Shows readers a new segment that is on disk, and deletes those before it that are delivered.</summary>
    public void Add(Segment segment)
    {
        lock (gate)
        {
            segments.Add(segment);
            mustBeginNew = false;
            Show(segment, segment.FileBytes);
        }

        DeleteDelivered();
    }

    /// <summary>Notes the damaged places of a segment. A damaged last segment is no longer written to.</summary>
    public void NoteGaps(Segment segment, IReadOnlyList<Gap> gaps)
    {
        lock (gate)
        {
            segment.Gaps = gaps;
            mustBeginNew |= gaps.Count > 0 && ReferenceEquals(segment, segments[^1]);
        }
    }

    /// <summary>What code that reads a whole segment must know about it.</summary>
    public SegmentExtent ExtentOf(Segment segment)
    {
        lock (gate)
            return new SegmentExtent(segment.Size, segment.End, committedOffset, segments[0].First, segments.Contains(segment));
    }

    /// <summary>
    /// What a reader needs to continue: up to where it may read, the damage that begins there, and whether another segment follows.
    /// </summary>
    public ReaderState StateOf(Segment segment, long position, long offset)
    {
        lock (gate)
        {
            var isLast = ReferenceEquals(segment, segments[^1]);
            foreach (var gap in segment.Gaps)
            {
                if (gap.EndPosition > position || gap.EndOffset > offset)
                    return new ReaderState(Math.Max(position, gap.Position), gap, segment.End, isLast, changes.Version);
            }
            return new ReaderState(segment.Size, null, segment.End, isLast, changes.Version);
        }
    }

    /// <summary>The segment that holds <paramref name="offset"/>, or else the first one behind it, or else the last.</summary>
    public Segment SegmentAt(long offset)
    {
        lock (gate)
            return segments.Find(segment => segment.End > offset) ?? segments[^1];
    }

    /// <summary>The segment that follows another; null if that is the last one.</summary>
    public Segment? SegmentAfter(Segment segment)
    {
        lock (gate)
            return segments.Find(other => other.First > segment.First);
    }

    /// <summary>Waits until something is appended after the state with this version.</summary>
    /// <returns>False once the journal is closed.</returns>
    public ValueTask<bool> WaitForChangeAsync(long seen, CancellationToken cancellationToken) => changes.WaitAsync(seen, cancellationToken);

    /// <summary>Ends the waits of all readers, now and from now on.</summary>
    public void Close() => changes.Close();

    // Show and CountFrom: called with the gate held.
    void Show(Segment segment, long bytes)
    {
        nextOffset = Math.Max(nextOffset, segment.End);
        givenOut = Math.Max(givenOut, segment.End);
        sizeBytes += bytes;
        changes.Raise();
    }

    /// <param name="allowed">Up to where the journal's owner lets segments be deleted; null before it was asked.</param>
    bool TryDeleteFirst(ref long? allowed)
    {
        lock (gate)
        {
            var to = Math.Min(committedOffset, allowed ?? committedOffset);
            if (segments.Count == 1 || segments[0].End > to || segments[1].First > to)
                return false;
            if ((allowed is null && !removal.IsAllowed(segments[0])) || !removal.TryRemove(segments[0]))
                return false;
            allowed = to;
            sizeBytes -= segments[0].FileBytes;
            segments.RemoveAt(0);
            return true;
        }
    }

    long CountFrom(long offset)
    {
        long readings = 0;
        for (var i = segments.Count - 1; i >= 0 && segments[i].End > offset; i--)
            readings += segments[i].ReadingsFrom(offset);
        return readings;
    }
}
