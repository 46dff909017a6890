namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>
/// Compares what Snowflake says it has inserted or refused with what it has committed of what was sent. A pipe that is invalid for a moment answers appends
/// with 200, drops their rows and commits what follows: no offset token ever shows it, only the count does.
/// </summary>
/// <remarks>
/// The counts belong to the channel since it was made, may come later than the commit, and are wrong for a pipe that filters rows. So a difference counts only
/// where the two have agreed before, and only when it has stayed for <see cref="Patience"/>. Not thread-safe.
/// </remarks>
sealed class RowBalance(TimeProvider clock)
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    long baseline;
    long last;
    long sent;
    long settledAt;
    bool hasAgreed;

    // A difference that is being watched.
    long? since;
    long least;
    long seenAt;

    /// <summary>The channel is open: what it counts so far is not of this opening.</summary>
    public void Start(long? counted, long committed)
    {
        baseline = last = counted ?? 0;
        sent = 0;
        settledAt = committed;
        since = null;
    }

    /// <summary>So many rows that were sent are committed.</summary>
    public void Committed(long rows) => sent += rows;

    /// <param name="counted">Rows inserted and rows refused of the channel, by its status; null when the status does not say.</param>
    /// <param name="committed">First offset that is not committed.</param>
    /// <returns>How many rows are missing, and the offsets from which and before which they were; null when none are, or not for sure.</returns>
    public (long Rows, long From, long To)? Compare(long? counted, long committed)
    {
        if (counted is not { } now)
            return null;
        if (now < last)
        {
            // A channel that was made anew.
            Start(now, committed);
            return null;
        }
        last = now;
        var missing = sent - (now - baseline);
        if (missing <= 0)
        {
            // More than was sent: rows of before the opening were counted late.
            baseline = now - sent;
            hasAgreed |= sent > 0;
            settledAt = committed;
            since = null;
            return null;
        }
        if (!hasAgreed)
            return null;
        if (since is null)
            (since, least, seenAt) = (clock.GetTimestamp(), missing, committed);
        least = Math.Min(least, missing);
        if (clock.GetElapsedTime(since.Value) < Patience)
            return null;
        var (rows, from, to) = (least, settledAt, seenAt);
        baseline -= rows;
        settledAt = to;
        since = null;
        return (rows, from, to);
    }
}
