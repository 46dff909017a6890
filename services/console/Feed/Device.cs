namespace ThermalStreaming.Console;

/// <summary>State of one device. Guarded by the lock of <see cref="DeviceBook"/>.</summary>
sealed class Device(string id)
{
    /// <summary>Most inverters of one device; further ones are left out.</summary>
    const int MostInverters = 500;

    /// <summary>Weight of a new gap between two messages in the usual gap.</summary>
    const double NewGap = 0.2;

    static readonly TimeSpan shortestPatience = TimeSpan.FromSeconds(15);
    static readonly TimeSpan firstPatience = TimeSpan.FromMinutes(2);

    readonly Dictionary<string, (Inverter Said, DateTimeOffset Heard)> inverters = new(StringComparer.Ordinal);

    public string Id => id;

    /// <summary>When its last message arrived; null: only known from the history.</summary>
    public DateTimeOffset? LastHeard { get; private set; }

    /// <summary>How long it may be silent before that is reported: five times its usual gap.</summary>
    public TimeSpan Patience { get; private set; } = firstPatience;

    /// <summary>Readings that arrived.</summary>
    public long Readings { get; private set; }

    public string Quality { get; private set; } = "";

    public bool IsUnderVoltage { get; private set; }

    public double?[] Latest { get; } = new double?[Metric.Count];

    public MinuteRing?[] Minutes { get; } = new MinuteRing?[Metric.Count];

    public LiveRing?[] Live { get; } = new LiveRing?[Metric.Count];

    /// <summary>Changes with each message.</summary>
    public long Version { get; private set; }

    double usualGap;

    public IEnumerable<(Inverter Said, DateTimeOffset Heard)> Inverters => inverters.Values;

    /// <summary>Records when it was heard before the console started.</summary>
    public void Remember(DateTimeOffset heard)
    {
        if (LastHeard is null || LastHeard < heard)
            LastHeard = heard;
    }

    public void Hear(Message message, DateTimeOffset now)
    {
        Version++;
        if (LastHeard is { } last && Readings > 0)
        {
            var gap = (now - last).TotalSeconds;
            usualGap = usualGap == 0 ? gap : usualGap + NewGap * (gap - usualGap);
            var patience = TimeSpan.FromSeconds(5 * usualGap);
            Patience = patience > shortestPatience ? patience : shortestPatience;
        }
        (LastHeard, Readings) = (now, Readings + message.Readings);
        (Quality, IsUnderVoltage) = (message.Quality, message.IsUnderVoltage);
        foreach (var observation in message.Observations)
            Add(observation.Metric, observation.At ?? now, observation.Value, now);
        foreach (var inverter in message.Inverters)
        {
            if (inverters.Count < MostInverters || inverters.ContainsKey(inverter.Id))
                inverters[inverter.Id] = (inverter, now);
        }
        if (message.Inverters.Count > 0)
            AddPower(message.Inverters, now);
    }

    /// <summary>Adds the power of all its inverters together, at each instant of a message.</summary>
    void AddPower(IReadOnlyList<Inverter> said, DateTimeOffset now)
    {
        foreach (var instant in said.GroupBy(inverter => inverter.At ?? now))
        {
            if (instant.Any(inverter => inverter.PowerW is not null))
                Add(Metric.Power, instant.Key, instant.Sum(inverter => inverter.PowerW ?? 0), now);
        }
    }

    void Add(int metric, DateTimeOffset at, double value, DateTimeOffset now)
    {
        // A clock that is ahead must not put values where those of the next day belong.
        if (at > now)
            at = now;
        if (now - at >= TimeSpan.FromDays(1))
            return;
        Latest[metric] = value;
        (Minutes[metric] ??= new MinuteRing()).Add(at.ToUnixTimeSeconds() / 60, value);
        (Live[metric] ??= new LiveRing()).Add(at.ToUnixTimeSeconds(), value);
    }
}
