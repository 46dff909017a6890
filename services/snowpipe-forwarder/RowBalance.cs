namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>
/// Compares what Snowflake says it has inserted or refused with what it has committed of what was sent. A pipe that is invalid for a moment
/// answers appends with 200, drops their rows and commits what follows: no offset token ever shows it, only the count does.
/// </summary>
/// <remarks>
/// The counts belong to the channel since it was made, may come later than the commit or before it is seen, and are wrong for a pipe that
/// filters rows. So a difference counts only where the two have agreed before, and only when it has stayed for <see cref="Patience"/>. Not
/// thread-safe.
/// </remarks>
sealed class RowBalance(TimeProvider clock)
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>
    /// A difference that does not come to rest, because rows are still being dropped, is reported after this time as far as it is certain.
    /// </summary>
    public static readonly TimeSpan LongestPatience = TimeSpan.FromMinutes(1);

    bool hasSent;

    // A difference that is being watched: since when, its size and end as they are now, and what of it has been there all the time.
    long? since;
    long missing;
    long missingTo;
    long changedAt;
    long least;
    long leastTo;

    /// <summary>The channel's count when it was last seen.</summary>
    public long Counted { get; private set; }

    /// <summary>The channel's count once all committed rows are counted, without those reported as missing.</summary>
    public long Expected { get; private set; }

    /// <summary>Whether the counts are known to be of all rows.</summary>
    public bool HasAgreed { get; private set; }

    /// <summary>
    /// Where the counts were last complete, if they have agreed: every row before this offset was counted as inserted or as refused.
    /// </summary>
    public long SettledAt { get; private set; }

    /// <summary>Whether a difference is being watched.</summary>
    public bool IsWatching => since is not null;

    /// <summary>The channel's count so far is not of the rows sent here: the channel is new here, or was dropped and created
    /// again.</summary>
    public void Start(long counted, long committed)
    {
        (Expected, Counted) = (counted, counted);
        hasSent = false;
        SettledAt = committed;
        since = null;
    }

    /// <summary>A process continues where one before it stopped.</summary>
    /// <param name="expected">The count expected of the channel when everything before <paramref name="offset"/> was committed,
    /// agreement before included.</param>
    /// <param name="offset">First offset that was not committed then.</param>
    /// <param name="rows">How many rows were committed since.</param>
    /// <param name="counted">The channel's count now.</param>
    public void Resume(long expected, long offset, long rows, long counted)
    {
        Start(counted, offset);
        Expected = expected + rows;
        HasAgreed = true;
    }

    /// <summary>So many rows that were sent are committed.</summary>
    public void Committed(long rows)
    {
        Expected += rows;
        hasSent |= rows > 0;
    }

    /// <param name="counted">Rows inserted and rows refused of the channel, by its status.</param>
    /// <param name="committed">First offset that is not committed.</param>
    /// <param name="outstanding">Rows that were sent and are not seen to be committed, those included whose append was not answered. They
    /// may be counted already.</param>
    /// <returns>How many rows are missing, and the offsets from which and before which they were; null when none are, or not for sure. To
    /// be repeated to <see cref="Reported"/>.</returns>
    public (long Rows, long From, long To)? Compare(long counted, long committed, long outstanding)
    {
        Counted = counted;
        // More than was sent: rows of before the start were counted late.
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

    /// <summary>A difference was told and is not expected any more.</summary>
    public void Reported(long rows, long to)
    {
        Expected -= rows;
        SettledAt = to;
        since = null;
    }
}
