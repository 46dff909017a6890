namespace ThermalStreaming.Journal;

/// <summary>
/// Gathers appends into groups and hands the groups to the writer, in order. One group is written with one fsync, so all its appends share
/// the cost. Thread-safe; one writer takes the groups.
/// </summary>
sealed class AppendQueue : IDisposable
{
    /// <summary>A buffer larger than this, in bytes, is not kept for the next group.</summary>
    const int KeptBufferBytes = 2 * 1024 * 1024;

    readonly string directory;
    readonly TimeSpan linger;
    readonly int groupBytes;
    readonly TimeProvider clock;
    readonly ITimer wakeTimer;

    // Not a Lock: the writer waits on it with Monitor.Wait.
    readonly object gate = new();
    readonly Queue<AppendGroup> groups = new();
    AppendGroup? filling;
    byte[]? spareBuffer;
    Exception? fault;
    bool isClosed;

    /// <param name="directory">The journal's, for messages.</param>
    /// <param name="linger">How long the first append of a group waits for others.</param>
    /// <param name="groupBytes">A group takes no more appends once it would be larger than this; a single append may be larger.</param>
    /// <param name="clock">Tells the time and makes timers.</param>
    public AppendQueue(string directory, TimeSpan linger, int groupBytes, TimeProvider clock)
    {
        this.directory = directory;
        this.linger = linger;
        this.groupBytes = groupBytes;
        this.clock = clock;
        wakeTimer = clock.CreateTimer(_ => WakeWriter(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The error that stopped the writer for good; null while it works.</summary>
    public Exception? Fault
    {
        get
        {
            lock (gate)
                return fault;
        }
    }

    /// <summary>Copies a record into the group that is being filled.</summary>
    /// <param name="record">The record.</param>
    /// <param name="bytes">Its frame's size.</param>
    /// <param name="readingsBefore">How many readings of the group come before it.</param>
    /// <returns>The group.</returns>
    /// <exception cref="ObjectDisposedException">The journal is closed.</exception>
    /// <exception cref="IOException">The writer stopped for good.</exception>
    public AppendGroup Add(in JournalRecord record, int bytes, out long readingsBefore)
    {
        lock (gate)
        {
            var group = GroupFor(bytes, record.Count);
            readingsBefore = group.Count;
            group.Add(record);
            return group;
        }
    }

    /// <summary>Copies records into one group, one after the other.</summary>
    /// <param name="records">The records.</param>
    /// <param name="bytes">Size of their frames together.</param>
    /// <param name="count">Readings in them together.</param>
    /// <param name="readingsBefore">How many readings of the group come before them.</param>
    /// <inheritdoc cref="Add(in JournalRecord, int, out long)"/>
    public AppendGroup Add(IReadOnlyList<JournalRecord> records, int bytes, int count, out long readingsBefore)
    {
        lock (gate)
        {
            var group = GroupFor(bytes, count);
            readingsBefore = group.Count;
            for (var i = 0; i < records.Count; i++)
                group.Add(records[i]);
            return group;
        }
    }

    /// <summary>Waits for a group, and for its linger time. For the writer only.</summary>
    /// <returns>The next group, which takes no more appends; null once the queue is closed and empty.</returns>
    public AppendGroup? Take()
    {
        lock (gate)
        {
            while (true)
            {
                if (groups.TryPeek(out var group))
                {
                    var wait = linger - clock.GetElapsedTime(group.CreatedAt);
                    if (wait <= TimeSpan.Zero || isClosed || groups.Count > 1)
                    {
                        if (ReferenceEquals(group, filling))
                            filling = null;
                        return groups.Dequeue();
                    }

                    wakeTimer.Change(wait, Timeout.InfiniteTimeSpan);
                }
                else if (isClosed)
                {
                    return null;
                }

                Monitor.Wait(gate);
            }
        }
    }

    /// <summary>Takes the buffer of a group that has been dealt with, for the next one.</summary>
    public void Reuse(byte[] buffer)
    {
        lock (gate)
        {
            if (buffer.Length <= KeptBufferBytes)
                spareBuffer = buffer;
        }
    }

    /// <summary>
    /// Pauses the writer before it tries a refused group again. Ends early when <see cref="WakeWriter"/> is called, or when another group
    /// begins. A new group frees no space, but an early attempt costs little.
    /// </summary>
    /// <returns>False once the queue is closed.</returns>
    public bool WaitBeforeRetry(TimeSpan pause)
    {
        lock (gate)
        {
            if (isClosed)
                return false;
            wakeTimer.Change(pause, Timeout.InfiniteTimeSpan);
            Monitor.Wait(gate);
            return true;
        }
    }

    /// <summary>Ends the writer's wait, because space was freed or time has passed.</summary>
    public void WakeWriter()
    {
        lock (gate)
            Monitor.PulseAll(gate);
    }

    /// <exception cref="ObjectDisposedException">The queue is closed.</exception>
    public void ThrowIfClosed()
    {
        lock (gate)
            ObjectDisposedException.ThrowIf(isClosed, typeof(DurableJournal));
    }

    /// <summary>Fails all waiting groups, and every append from now on.</summary>
    public void Fail(Exception exception)
    {
        lock (gate)
        {
            fault = exception;
            while (groups.TryDequeue(out var waiting))
                waiting.FailWith(exception);
        }
    }

    /// <summary>Takes no more appends; the writer still gets the waiting groups.</summary>
    /// <returns>False if the queue was closed before.</returns>
    public bool Close()
    {
        lock (gate)
        {
            if (isClosed)
                return false;
            isClosed = true;
            Monitor.PulseAll(gate);
            return true;
        }
    }

    /// <summary>After the writer has ended.</summary>
    public void Dispose() => wakeTimer.Dispose();

    /// <summary>The group that takes the next append. Called with the gate held.</summary>
    AppendGroup GroupFor(int bytes, int count)
    {
        ObjectDisposedException.ThrowIf(isClosed, typeof(DurableJournal));
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
}
