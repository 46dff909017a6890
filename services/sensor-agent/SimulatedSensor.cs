namespace ThermalStreaming.SensorAgent;

/// <summary>
/// How one simulated sensor behaves in time: it measures at its own interval, and fails now and then for a while. Both in monotonic time.
/// </summary>
sealed class SimulatedSensor
{
    static readonly TimeSpan MeanBetweenFailures = TimeSpan.FromHours(2);
    static readonly TimeSpan MeanFailure = TimeSpan.FromSeconds(20);

    /// <summary>A single measurement whose checksum is wrong.</summary>
    const double GarbledProbability = 0.001;

    readonly Random random;
    readonly TimeSpan interval;
    TimeSpan? measuredAt;
    TimeSpan failsAt;
    TimeSpan recoversAt;

    public SimulatedSensor(string name, Random random, TimeSpan interval)
    {
        Name = name;
        this.random = random;
        this.interval = interval;
        failsAt = Exponential(MeanBetweenFailures);
    }

    public string Name { get; }

    /// <summary>Whether its last measurement can be used.</summary>
    public bool Delivers { get; private set; }

    /// <summary>Measurements that failed since the start.</summary>
    public long Failures { get; private set; }

    /// <summary>Time since the last measurement when a new one is due, else null.</summary>
    public TimeSpan? Measure(TimeSpan now)
    {
        if (measuredAt is { } last && now - last < interval)
            return null;
        var span = measuredAt is { } before ? now - before : TimeSpan.Zero;
        measuredAt = now;
        if (now >= failsAt)
        {
            recoversAt = now + Exponential(MeanFailure);
            failsAt = recoversAt + Exponential(MeanBetweenFailures);
        }
        Delivers = now >= recoversAt && random.NextDouble() >= GarbledProbability;
        if (!Delivers)
            Failures++;
        return span;
    }

    TimeSpan Exponential(TimeSpan mean) => mean * -Math.Log(1 - random.NextDouble());
}
