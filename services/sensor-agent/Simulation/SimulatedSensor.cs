using ThermalStreaming.Sensors;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// Behaviour of one simulated sensor as a function of time: it measures at its own interval, occasionally fails for a while, and rarely
/// repeats a value for too long. Not thread-safe.
/// </summary>
/// <param name="name">Such as <c>simulated-scd4x</c>, so that nobody mistakes it for a real one.</param>
/// <param name="draws">Its random numbers.</param>
/// <param name="interval">Time between two measurements.</param>
/// <param name="stuckAfter">How long it may repeat a value before that is flagged.</param>
sealed class SimulatedSensor(string name, Draws draws, TimeSpan interval, TimeSpan stuckAfter)
{
    /// <summary>In each of these spans it may fail once, or get stuck once, with the probabilities below.</summary>
    static readonly TimeSpan FailureSpan = TimeSpan.FromHours(2),
        StuckSpan = TimeSpan.FromDays(4);

    const double FailureProbability = 0.7,
        StuckProbability = 0.5;

    static readonly TimeSpan MeanFailure = TimeSpan.FromSeconds(20),
        LongestFailure = TimeSpan.FromMinutes(8),
        ShortestStuck = TimeSpan.FromMinutes(15),
        LongestStuck = TimeSpan.FromMinutes(50);

    /// <summary>A single measurement whose checksum is wrong.</summary>
    const double GarbledProbability = 0.001;

    readonly Draws failures = draws.Of("failures"),
        stuck = draws.Of("stuck"),
        garbled = draws.Of("garbled");
    long lastIndex = -1;

    public string Name { get; } = name;

    /// <summary>Measurements that failed since the start.</summary>
    public long Failures { get; private set; }

    /// <summary>Its newest measurement.</summary>
    /// <param name="ticks">Now, in ticks of UTC.</param>
    /// <returns>The time that its measurement is of, and what is odd about it; null while it delivers nothing.</returns>
    public (long Ticks, Quality Quality)? At(long ticks)
    {
        var index = ticks / interval.Ticks;
        var measuredAt = index * interval.Ticks;
        var fails = IsFailing(measuredAt) || garbled.Uniform(index) < GarbledProbability;
        if (index != lastIndex && fails)
            Failures++;
        lastIndex = index;
        if (fails)
            return null;
        return StuckSince(measuredAt) is { } since
            ? (since, measuredAt - since >= stuckAfter.Ticks ? Quality.Stuck : Quality.None)
            : (measuredAt, Quality.None);
    }

    bool IsFailing(long ticks)
    {
        // A failure that began at the end of the previous span may last into this one.
        var span = ticks / FailureSpan.Ticks;
        return FailsIn(span - 1, ticks) || FailsIn(span, ticks);
    }

    bool FailsIn(long span, long ticks)
    {
        var own = failures.Of(span);
        var start = (span + own.Uniform(1)) * FailureSpan.Ticks;
        return own.Uniform(0) < FailureProbability
            && ticks >= start
            && ticks < start + Math.Min(own.Exponential(2) * MeanFailure.Ticks, LongestFailure.Ticks);
    }

    /// <summary>The measurement that it repeats; null if it is not stuck.</summary>
    long? StuckSince(long ticks)
    {
        var span = ticks / StuckSpan.Ticks;
        var own = stuck.Of(span);
        if (own.Uniform(0) >= StuckProbability)
            return null;
        var length = ShortestStuck + (LongestStuck - ShortestStuck) * own.Uniform(2);
        // It recovers within its span.
        var start = span * StuckSpan.Ticks + (long)(own.Uniform(1) * (StuckSpan - length).Ticks) / interval.Ticks * interval.Ticks;
        return ticks >= start && ticks < start + length.Ticks ? start : null;
    }
}
