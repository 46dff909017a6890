namespace ThermalStreaming.SensorAgent;

/// <summary>
/// What people leave in the air of a simulated office of 100 m³. Each breathes out CO₂, moisture and odours and gives off warmth;
/// ventilation removes the former, the walls the latter. A function of the seed and the time, because effects older than a day are gone.
/// Not thread-safe.
/// </summary>
sealed class SimulatedRoom(Draws draws)
{
    /// <summary>Share of the warmth that the walls take, per hour.</summary>
    const double WallRate = 0.5;

    /// <summary>Rate at which odours fade, per hour.</summary>
    const double FadeRate = 1.5;

    /// <summary>A stretch of a day in which nothing changes, and the state at its beginning.</summary>
    readonly record struct Stretch(double From, int People, double AirChanges, double Breath, double Warmth);

    readonly List<Stretch> stretches = [];
    readonly List<(double Hours, double Ppb)> smells = [];
    long day = -1;

    /// <param name="ticks">The instant, in ticks of UTC.</param>
    /// <returns>
    /// Breath: person-hours of used air that are still there. Warmth: person-hours of warmth that are still there. Smell: ppb.
    /// </returns>
    public (double Breath, double Warmth, double Smell) At(long ticks)
    {
        if (ticks / TimeSpan.TicksPerDay is var today && today != day)
            Prepare(today);
        var hour = (double)(ticks % TimeSpan.TicksPerDay) / TimeSpan.TicksPerHour;
        var last = stretches.FindLastIndex(one => one.From <= hour);
        var state = After(stretches[last], hour);
        var smell = smells.Where(one => one.Hours <= hour).Sum(one => one.Ppb * Math.Exp(-FadeRate * (hour - one.Hours)));
        return (state.Breath, state.Warmth, smell);
    }

    void Prepare(long today)
    {
        stretches.Clear();
        smells.Clear();
        var yesterday = Day(today - 1);
        // After a day, e^−10 of it is left.
        var end = Walk(yesterday, default, keep: false);
        var now = Day(today);
        Walk(now, end, keep: true);
        smells.AddRange(yesterday.Smells.Select(smell => (smell.At - 24, smell.Ppb)));
        smells.AddRange(now.Smells);
        day = today;
    }

    SimulatedDay Day(long number) => new(draws.Of(number), DateOnly.FromDayNumber((int)number));

    (double Breath, double Warmth) Walk(SimulatedDay one, (double Breath, double Warmth) state, bool keep)
    {
        double? from = null;
        foreach (var to in one.Changes)
        {
            if (from is { } begun)
            {
                var stretch = new Stretch(begun, one.People(begun), one.AirChanges(begun), state.Breath, state.Warmth);
                if (keep)
                    stretches.Add(stretch);
                state = After(stretch, to);
            }
            from = to;
        }
        return state;
    }

    static (double Breath, double Warmth) After(Stretch stretch, double hour) =>
        (
            Approach(stretch.Breath, stretch.People, stretch.AirChanges, hour - stretch.From),
            Approach(stretch.Warmth, stretch.People, WallRate, hour - stretch.From)
        );

    // Solution of dx/dt = people − rate · x.
    static double Approach(double start, double people, double rate, double hours)
    {
        var steady = people / rate;
        return steady + (start - steady) * Math.Exp(-rate * hours);
    }
}
