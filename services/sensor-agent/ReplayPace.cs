namespace ThermalStreaming.SensorAgent;

/// <summary>When the readings of a recording are due again: as far apart as they were, divided by the speed. Not thread-safe.</summary>
/// <param name="speed">How many times faster; 0: at once.</param>
/// <param name="patience">How far behind it may fall and still catch up; further behind, everything moves to later.</param>
/// <param name="clock">Where time comes from.</param>
sealed class ReplayPace(double speed, TimeSpan patience, TimeProvider clock)
{
    /// <summary>A step back of more than this is the beginning of another recording; less is disorder.</summary>
    const long NewRecordingUs = 3_600_000_000;

    /// <summary>Between readings of which nobody knows how far apart they were. Never 0: a file that is played in a circle must not
    /// race.</summary>
    static readonly TimeSpan UnknownStep = TimeSpan.FromSeconds(1);

    readonly long start = clock.GetTimestamp();
    TimeSpan due;
    long? previousUs;
    bool hasBegun;

    /// <summary>The file begins again.</summary>
    public void BeginAgain() => previousUs = null;

    /// <summary>When the next reading is due, since the start of the replay.</summary>
    /// <param name="recordedUs">When it was recorded; null when nobody knows.</param>
    public TimeSpan Next(long? recordedUs)
    {
        if (speed > 0 && hasBegun)
            due += Step(recordedUs) / speed;
        hasBegun = true;
        if (previousUs is not { } last || recordedUs > last || recordedUs < last - NewRecordingUs)
            previousUs = recordedUs ?? previousUs;
        var elapsed = clock.GetElapsedTime(start);
        if (due < elapsed - patience)
            due = elapsed;
        return due;
    }

    TimeSpan Step(long? recordedUs) =>
        recordedUs is not { } now || previousUs is not { } previous ? UnknownStep
        : now > previous ? TimeSpan.FromMicroseconds(now - previous)
        : TimeSpan.Zero;

    /// <summary>How long it is until then; zero or less: not at all.</summary>
    public TimeSpan Until(TimeSpan then) => then - clock.GetElapsedTime(start);
}
