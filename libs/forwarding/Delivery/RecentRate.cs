namespace ThermalStreaming.Forwarding;

/// <summary>How many per second, over the last minute. Thread-safe.</summary>
sealed class RecentRate(TimeProvider clock)
{
    const int Seconds = 60;

    readonly Lock gate = new();
    readonly long[] counts = new long[Seconds];
    readonly long start = clock.GetTimestamp();
    long newest;

    public void Add(long count)
    {
        lock (gate)
        {
            Advance();
            counts[newest % Seconds] += count;
        }
    }

    /// <summary>In the first minute: over the time so far.</summary>
    public double PerSecond
    {
        get
        {
            lock (gate)
            {
                Advance();
                return (double)counts.Sum() / Math.Clamp(newest + 1, 1, Seconds);
            }
        }
    }

    void Advance()
    {
        var now = (long)clock.GetElapsedTime(start).TotalSeconds;
        for (var second = Math.Max(newest + 1, now - Seconds + 1); second <= now; second++)
            counts[second % Seconds] = 0;
        newest = Math.Max(newest, now);
    }
}
