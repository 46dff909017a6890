namespace ThermalStreaming.SensorAgent;

/// <summary>
/// One day (UTC) in the simulated office: who is there, when a window is open, and other smells. A function of the seed and the day.
/// Immutable.
/// </summary>
sealed class SimulatedDay
{
    const int Staff = 4;

    /// <summary>Probability that each of them comes on a working day, and at the weekend.</summary>
    const double Attendance = 0.85,
        WeekendAttendance = 0.06;

    /// <summary>Air changes per hour: empty, in use, with an open window.</summary>
    const double Closed = 0.4,
        InUse = 0.9,
        Open = 5;

    readonly List<(double From, double To)> presences = [],
        airings = [];
    readonly List<(double At, double Ppb)> smells = [];

    /// <param name="draws">The random numbers of this day.</param>
    /// <param name="date">The day.</param>
    public SimulatedDay(Draws draws, DateOnly date)
    {
        var isWeekend = date.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday;
        for (var person = 0; person < Staff; person++)
        {
            var own = draws.Of(person);
            if (own.Uniform(0) < (isWeekend ? WeekendAttendance : Attendance))
                Come(own);
        }
        var airingDraws = draws.Of("airings");
        var times = presences.Count == 0 ? 0 : 2 + (int)(airingDraws.Uniform(0) * 4);
        for (var i = 1; i <= times; i++)
        {
            var at = 8 + 9 * airingDraws.Uniform(2 * i);
            if (presences.Exists(one => one.From <= at && at < one.To))
                airings.Add((at, at + (5 + 8 * airingDraws.Uniform(2 * i + 1)) / 60));
        }
        var smellDraws = draws.Of("smells");
        if (!isWeekend)
            smells.Add((18.6 + 0.2 * smellDraws.Gaussian(0), 250 + 250 * smellDraws.Uniform(2)));
        if (presences.Count > 0 && smellDraws.Uniform(3) < 0.5)
            smells.Add((10 + 6 * smellDraws.Uniform(4), 80 + 200 * smellDraws.Uniform(5)));
    }

    /// <summary>Smells of cleaning and the like: at which hour, and by how many ppb.</summary>
    public IReadOnlyList<(double At, double Ppb)> Smells => smells;

    /// <summary>The hours at which something changes, from 0 to 24.</summary>
    public IEnumerable<double> Changes =>
        presences
            .Concat(airings)
            .SelectMany(span => new[] { span.From, span.To })
            .Append(0)
            .Append(24)
            .Where(at => at is >= 0 and <= 24)
            .Distinct()
            .Order();

    /// <summary>How many people are present at an hour.</summary>
    public int People(double hour) => presences.Count(one => one.From <= hour && hour < one.To);

    /// <summary>Air changes per hour at this time of day.</summary>
    public double AirChanges(double hour) =>
        airings.Exists(one => one.From <= hour && hour < one.To) ? Open
        : People(hour) > 0 ? InUse
        : Closed;

    /// <summary>Adds a person from arrival to departure, except for lunch and a meeting elsewhere.</summary>
    void Come(Draws own)
    {
        var arrives = Math.Clamp(8.5 + 0.6 * own.Gaussian(1), 6.5, 11);
        var leaves = Math.Clamp(17.2 + 0.9 * own.Gaussian(2), 14, 21);
        var lunch = 12.1 + 0.3 * own.Gaussian(3);
        var meeting = arrives + (leaves - arrives) * own.Uniform(8);
        List<(double From, double To)> absences =
        [
            (lunch, lunch + 0.4 + 0.4 * own.Uniform(9)),
            (meeting, meeting + 0.3 + 0.7 * own.Uniform(10)),
        ];
        var from = arrives;
        foreach (var (gone, back) in absences.OrderBy(absence => absence.From))
        {
            if (gone > from)
                presences.Add((from, Math.Min(gone, leaves)));
            from = Math.Max(from, back);
        }
        if (from < leaves)
            presences.Add((from, leaves));
    }
}
