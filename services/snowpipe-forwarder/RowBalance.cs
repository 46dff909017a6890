namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>
/// Compares the rows that Snowflake reports as inserted or refused with the committed ones of those sent. A pipe that is briefly invalid
/// answers appends with 200, drops their rows and commits what follows: offset tokens never show this, only the count does.
/// </summary>
/// <remarks>
/// The counts are those since the channel was created. They may come later than the commit or before it is seen, and are wrong for a pipe
/// that filters rows. So a difference counts only if the two have agreed before, and only when it has lasted for <see cref="Patience"/>.
/// Not thread-safe.
/// </remarks>
sealed class RowBalance(TimeProvider clock)
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>
    /// If a difference keeps changing because rows are still being dropped, its certain part is reported after this time.
    /// </summary>
    public static readonly TimeSpan LongestPatience = TimeSpan.FromMinutes(1);

    bool hasSent;

    // A difference under watch: its beginning, its current size and end, and the part of it that was present all the time.
    long? since;
    long missing;
    long missingTo;
    long changedAt;
    long least;
    long leastTo;

    /// <summary>The channel's count when last seen.</summary>
    public long Counted { get; private set; }

    /// <summary>The channel's count once all committed rows are counted, without rows reported as missing.</summary>
    public long Expected { get; private set; }

    /// <summary>Whether the counts are known to cover all rows.</summary>
    public bool HasAgreed { get; private set; }

    /// <summary>
    /// Where the counts were last complete, if they have agreed: every row before this offset was counted as inserted or refused.
    /// </summary>
    public long SettledAt { get; private set; }

    /// <summary>Whether a difference is being watched.</summary>
    public bool IsWatching => since is not null;

    /// <summary>
    /// The channel's count so far does not cover the rows sent here: the channel is new here, or was dropped and created again.
    /// </summary>
    public void Start(long counted, long committed)
    {
        (Expected, Counted) = (counted, counted);
        hasSent = false;
        SettledAt = committed;
        since = null;
    }

    /// <summary>Continues the balance of an earlier process.</summary>
    /// <param name="expected">
    /// The count expected of the channel when everything before <paramref name="offset"/> was committed. The counts had agreed by then.
    /// </param>
    /// <param name="offset">First offset that was not committed then.</param>
    /// <param name="rows">How many rows have been committed since.</param>
    /// <param name="counted">The channel's count now.</param>
    public void Resume(long expected, long offset, long rows, long counted)
    {
        Start(counted, offset);
        Expected = expected + rows;
        HasAgreed = true;
    }

    /// <summary>This many of the sent rows are committed.</summary>
    public void Committed(long rows)
    {
        Expected += rows;
        hasSent |= rows > 0;
    }

    /// <param name="counted">Rows inserted plus rows refused, from the channel's status.</param>
    /// <param name="committed">First offset that is not committed.</param>
    /// <param name="outstanding">
    /// Rows sent and not yet seen as committed, including those of an unanswered append. They may be counted already.
    /// </param>
    /// <returns>
    /// How many rows are missing, and the first offset and the end of their range; null if none are, or not for certain. Pass it to
    /// <see cref="Reported"/>.
    /// </returns>
    public (long Rows, long From, long To)? Compare(long counted, long committed, long outstanding)
    {
        Counted = counted;
        // More than was sent: rows from before the start were counted late.
        Expected = Math.Max(Expected, counted - outstanding);
        var difference = Expected - counted;
        if (difference <= 0)
        {
            if (difference == 0)
            {
                HasAgreed |= hasSent;
                SettledAt = committed;
            }
            since = null;
            return null;
        }
        if (!HasAgreed)
            return null;
        var now = clock.GetTimestamp();
        if (since is null)
            (since, missing, least, leastTo) = (now, 0, difference, committed);
        if (difference != missing)
            (missing, missingTo, changedAt) = (difference, difference > missing ? committed : missingTo, now);
        least = Math.Min(least, difference);
        return clock.GetElapsedTime(changedAt) >= Patience ? (missing, SettledAt, missingTo)
            : clock.GetElapsedTime(since.Value) >= LongestPatience ? (least, SettledAt, leastTo)
            : null;
    }

    /// <summary>A difference was reported and is no longer expected.</summary>
    public void Reported(long rows, long to)
    {
        Expected -= rows;
        SettledAt = to;
        since = null;
    }
}
