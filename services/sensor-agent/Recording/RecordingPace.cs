namespace ThermalStreaming.SensorAgent;

/// <summary>Decides when readings of a recording are due: as far apart as they were, divided by the speed. Not thread-safe.</summary>
/// <param name="speed">How many times faster; 0: at once.</param>
/// <param name="patience">How far behind it may fall and still catch up. Further behind, all later readings are delayed.</param>
/// <param name="clock">Where time comes from.</param>
sealed class RecordingPace(double speed, TimeSpan patience, TimeProvider clock)
{
    /// <summary>A step back of more than this is the beginning of another recording; a smaller one is disorder.</summary>
    const long NewRecordingUs = 3_600_000_000;

    /// <summary>Between readings whose distance is not known. Never 0: otherwise a looping file would play at full speed.</summary>
    static readonly TimeSpan UnknownStep = TimeSpan.FromSeconds(1);

    readonly long start = clock.GetTimestamp();
    TimeSpan due;
    long? previousUs;
    bool hasBegun;

    /// <summary>The file starts again.</summary>
    public void BeginAgain() => previousUs = null;

    /// <summary>When the next reading is due, since the start of the replay.</summary>
    /// <param name="recordedUs">When it was recorded; null if not known.</param>
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

    /// <summary>How long to wait until then; zero or less: no wait.</summary>
    public TimeSpan Until(TimeSpan then) => then - clock.GetElapsedTime(start);
}
