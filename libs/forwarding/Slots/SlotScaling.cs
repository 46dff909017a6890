namespace ThermalStreaming.Forwarding;

/// <summary>
/// Decides when a replica opens one more slot and when it closes one, by how late its readings are committed. More slots help when one
/// cannot keep up with incoming readings. They do not help while the destination commits nothing, or with a shrinking backlog: a journal is
/// delivered only by its own slot. Not thread-safe.
/// </summary>
/// <param name="least">Fewest slots.</param>
/// <param name="most">Most slots.</param>
/// <param name="pace">How readily.</param>
/// <param name="clock">Time.</param>
sealed class SlotScaling(int least, int most, ScalingPace pace, TimeProvider clock)
{
    /// <summary>The longest calm required before closing, in multiples of <see cref="ScalingPace.Calm"/>.</summary>
    const int MostCalm = 24;

    readonly long started = clock.GetTimestamp();
    (TimeSpan At, TimeSpan Lag)? behind;
    TimeSpan? calmSince,
        closedAt;
    TimeSpan progressAt;
    long lastCommitted = -1;
    int calms = 1;

    TimeSpan Now => clock.GetElapsedTime(started);

    /// <summary>Looks at the slots, every <see cref="ScalingPace.Look"/>.</summary>
    /// <param name="slots">Present slots, without those that are being closed.</param>
    /// <param name="lag">Age of the oldest reading that is not committed; zero if there is none.</param>
    /// <param name="committed">A number that changes whenever something is committed.</param>
    /// <param name="linger">How long a batch waits for more readings.</param>
    public SlotChange Look(int slots, TimeSpan lag, long committed, TimeSpan linger)
    {
        var now = Now;
        if (committed != lastCommitted)
            (lastCommitted, progressAt) = (committed, now);
        if (lag <= pace.Behind + 2 * linger)
        {
            behind = null;
            calmSince ??= now;
            if (slots <= least || now - calmSince < calms * pace.Calm)
                return SlotChange.None;
            (calmSince, closedAt) = (now, now);
            return SlotChange.Close;
        }
        calmSince = null;
        // Nothing is committed: the destination is away, for another slot too.
        if (now - progressAt > pace.Patience / 3 + 2 * linger)
        {
            behind = null;
            return SlotChange.None;
        }
        behind ??= (now, lag);
        if (now - behind.Value.At < pace.Patience)
            return SlotChange.None;
        var isFalling = lag < behind.Value.Lag;
        behind = (now, lag);
        if (isFalling || slots >= most)
            return SlotChange.None;
        // The closed slot was still needed: wait longer before closing one the next time.
        if (closedAt is { } closed)
            calms = now - closed < pace.Calm ? Math.Min(2 * calms, MostCalm) : 1;
        closedAt = null;
        return SlotChange.Open;
    }

    /// <summary>Forgets earlier observations: delivery is paused, so nothing is late.</summary>
    public void Rest() => (behind, calmSince) = (null, null);
}
