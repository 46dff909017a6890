namespace ThermalStreaming.Forwarding;

/// <summary>How long delivery waits after a failure before it tries again.</summary>
static class DeliveryBackOff
{
    /// <summary>Longest pause after failures that pass by themselves.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    static readonly TimeSpan First = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Longest wait that a destination may ask for: a proxy's mistake, or a date read by a wrong clock, must not stop delivery for days.
    /// </summary>
    static readonly TimeSpan LongestAsked = TimeSpan.FromMinutes(5);

    // An operator seldom fixes a problem at once, but some refusals pass by themselves.
    static readonly TimeSpan FirstForOperator = TimeSpan.FromSeconds(5);
    static readonly TimeSpan LongestForOperator = TimeSpan.FromSeconds(60);

    /// <param name="e">The failure.</param>
    /// <param name="failures">How many failures in a row, from 1.</param>
    /// <returns>The pause, and whether it is longer because the destination asked for it.</returns>
    public static (TimeSpan Delay, bool IsAsked) After(SinkException e, int failures)
    {
        var usual =
            e.Failure == SinkFailure.NeedsOperator
                ? BackOff(failures, FirstForOperator, LongestForOperator)
                : BackOff(failures, First, Longest);
        if (e.RetryAfter is not { } asked)
            return (usual, false);
        var bounded = asked < LongestAsked ? asked : LongestAsked;
        // Never less than the usual back-off: with 0 the loop would ask without a pause.
        return bounded > usual ? (bounded, true) : (usual, false);
    }

    // Full jitter above a floor: replicas that failed together must not come back together.
    static TimeSpan BackOff(int failures, TimeSpan first, TimeSpan longest)
    {
        var grown = first * Math.Pow(2, Math.Min(failures - 1, 10));
        return (grown < longest ? grown : longest) * (0.5 + Random.Shared.NextDouble() / 2);
    }
}
