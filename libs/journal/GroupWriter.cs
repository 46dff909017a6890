namespace ThermalStreaming.Journal;

/// <summary>
/// The writer thread of a journal: takes one group of appends after the other, makes room for it, has it written, and completes its
/// appends. While the disk refuses a group, it retries that group every second and whenever space is freed; the groups behind it wait.
/// </summary>
sealed class GroupWriter
{
    static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    readonly JournalEnvironment environment;
    readonly AppendQueue queue;
    readonly SegmentSet segments;
    readonly SegmentWriter writer;
    readonly Capacity capacity;
    readonly FoundTail foundTail;
    readonly Thread thread;
    volatile string? fullReason;

    /// <param name="environment">The journal.</param>
    /// <param name="queue">Where groups come from.</param>
    /// <param name="segments">The journal's files.</param>
    /// <param name="writer">Writes a group.</param>
    /// <param name="capacity">Says whether a group fits.</param>
    /// <param name="foundTail">The end of the journal as it was found, which must be durable before anything is appended.</param>
    public GroupWriter(
        JournalEnvironment environment,
        AppendQueue queue,
        SegmentSet segments,
        SegmentWriter writer,
        Capacity capacity,
        FoundTail foundTail
    )
    {
        this.environment = environment;
        this.queue = queue;
        this.segments = segments;
        this.writer = writer;
        this.capacity = capacity;
        this.foundTail = foundTail;
        thread = new Thread(Run) { IsBackground = true, Name = "journal writer" };
    }

    /// <summary>Why appends wait: what is full, and what to do. Null while they do not wait.</summary>
    public string? FullReason => fullReason;

    /// <summary>Starts the thread. It ends once the queue is closed and empty.</summary>
    public void Start() => thread.Start();

    /// <summary>Waits until the thread has ended.</summary>
    public void Join() => thread.Join();

    void Run()
    {
        AppendGroup? group = null;
        try
        {
            while ((group = queue.Take()) is not null)
            {
                if (!TryStore(group))
                {
                    group.FailWith(
                        new ObjectDisposedException(
                            nameof(DurableJournal),
                            "The journal was closed while it was full; the records are not stored."
                        )
                    );
                }

                queue.Reuse(group.Buffer);
            }
        }
        catch (Exception e)
        {
            // Not an I/O error, so a retry would not help. All waiting and future appends get the error.
            environment.Logger.WriterStopped(e, environment.Directory);
            group?.FailWith(e);
            queue.Fail(e);
        }
    }

    /// <summary>Stores a group, and retries as long as the disk refuses it.</summary>
    /// <returns>False if the journal was closed meanwhile.</returns>
    bool TryStore(AppendGroup group)
    {
        long? waitingSince = null;
        while (true)
        {
            var problem = TryWrite(group, isRetry: waitingSince is not null, out var first);
            if (problem is null)
            {
                if (waitingSince is { } since)
                {
                    fullReason = null;
                    environment.Logger.NotFull(environment.Directory, environment.Clock.GetElapsedTime(since));
                }

                group.CompleteWith(first);
                return true;
            }

            if (waitingSince is null)
            {
                waitingSince = environment.Clock.GetTimestamp();
                environment.Logger.Full(environment.Directory, problem);
            }

            fullReason = problem;
            if (!queue.WaitBeforeRetry(RetryInterval))
                return false;
        }
    }

    /// <returns>The obstacle; null if the group is stored.</returns>
    string? TryWrite(AppendGroup group, bool isRetry, out long first)
    {
        first = 0;
        try
        {
            if (foundTail.TryFlush() is { } unsynced)
                return Capacity.RefusalOf(unsynced);
            if (MakeRoom(group, isRetry) is { } problem)
                return problem;
            first = writer.Write(group);
            return null;
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            return Capacity.RefusalOf(e);
        }
    }

    /// <summary>Deletes delivered segments if the group does not fit.</summary>
    /// <returns>Why it still does not fit; null if it does.</returns>
    string? MakeRoom(AppendGroup group, bool isRetry)
    {
        var hasDeleted = false;
        if (SizeProblem(group) is not null)
        {
            hasDeleted = segments.DeleteDelivered();
            if (SizeProblem(group) is { } size && !segments.BeginNewIfLastIsDelivered())
                return size;
        }

        if (capacity.SpaceProblem(group.Length + SegmentHeader.Bytes, measureNow: isRetry || hasDeleted) is not { } space)
            return null;
        segments.DeleteDelivered();
        return segments.BeginNewIfLastIsDelivered() ? null : space;
    }

    string? SizeProblem(AppendGroup group) => capacity.SizeProblem(group.Length, segments.SizeBytes, segments.CommittedOffset);
}
