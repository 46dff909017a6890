namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>Progress of a channel, in offsets of the journal: attempted, accepted, committed. Used by one caller at a time.</summary>
/// <remarks>
/// Offsets need not be dense: readings that the journal lost have no offset, and readings that no append can carry have no row. So rows are
/// counted by append, never by offsets.
/// </remarks>
sealed class ChannelProgress
{
    readonly Queue<AcceptedAppend> inFlight = [];
    long attemptedEnd;
    int attemptedRows;

    /// <summary>First offset that is not known to be committed.</summary>
    public long Committed { get; private set; }

    /// <summary><see cref="Committed"/> before it last moved.</summary>
    public long PreviouslyCommitted { get; private set; }

    /// <summary>One past the committed token. It is less than <see cref="Committed"/> when readings without a row follow it.</summary>
    public long TokenEnd { get; private set; }

    /// <summary>One past the last append that was answered.</summary>
    public long AcceptedEnd { get; private set; }

    /// <summary>One past the last append that was sent, answered or not.</summary>
    public long AttemptedEnd => attemptedEnd;

    /// <summary>One past the last append that was ever sent, to whichever channel.</summary>
    public long SentEnd { get; private set; }

    /// <summary>
    /// One past everything handed to the sink. It exceeds <see cref="AcceptedEnd"/> when a batch ends in readings that no append can carry.
    /// </summary>
    public long HandledEnd { get; private set; }

    public bool IsWaiting => HandledEnd > Committed;

    /// <summary>Rows sent and not yet seen as committed, including those of an unanswered append.</summary>
    public long OutstandingRows => inFlight.Sum(append => (long)append.Rows) + (attemptedEnd > AcceptedEnd ? attemptedRows : 0);

    /// <summary>A channel was opened.</summary>
    /// <param name="position">First offset to send.</param>
    /// <param name="tokenEnd">One past the committed token.</param>
    public void Opened(long position, long tokenEnd)
    {
        inFlight.Clear();
        Committed = PreviouslyCommitted = attemptedEnd = AcceptedEnd = HandledEnd = position;
        TokenEnd = tokenEnd;
    }

    public void Attempting(in RowPart part)
    {
        (attemptedEnd, attemptedRows) = (part.LastOffset + 1, part.Rows);
        SentEnd = Math.Max(SentEnd, attemptedEnd);
    }

    /// <param name="part">The append that was answered.</param>
    /// <param name="at">Timestamp of the answer.</param>
    public void Accepted(in RowPart part, long at)
    {
        AcceptedEnd = HandledEnd = part.LastOffset + 1;
        inFlight.Enqueue(new(AcceptedEnd, at, part.Rows));
    }

    public void Handled(long end) => HandledEnd = end;

    /// <summary>Whether this commits more.</summary>
    public bool Reached(long end)
    {
        // Everything accepted is committed, so the readings without a row after it are too.
        var now = end >= AcceptedEnd ? HandledEnd : end;
        if (now <= Committed)
            return false;
        (PreviouslyCommitted, Committed) = (Committed, now);
        return true;
    }

    /// <summary>The next committed append, in order; null if there is none.</summary>
    public AcceptedAppend? TakeCommitted()
    {
        if (!inFlight.TryPeek(out var append) || append.End > Committed)
            return null;
        TokenEnd = append.End;
        return inFlight.Dequeue();
    }

    /// <summary>Rows of the appends up to a committed token; null if it is not the token of one of them.</summary>
    public long? RowsTo(long position)
    {
        var (end, rows) = (TokenEnd, 0L);
        foreach (var append in inFlight.Append(new(attemptedEnd, 0, attemptedRows)))
        {
            if (position == end)
                break;
            (end, rows) = (append.End, rows + append.Rows);
        }
        return position == end ? rows : null;
    }
}
