namespace ThermalStreaming.Sensors;

/// <summary>
/// Compares each measurement of a sensor with earlier ones: the same raw values for too long, or a change that air cannot make. Not
/// thread-safe.
/// </summary>
/// <param name="stuckAfter">How long raw values may stay the same.</param>
/// <param name="clock">Where time comes from.</param>
sealed class QualityWatch(TimeSpan stuckAfter, TimeProvider clock)
{
    /// <summary>Air does not change by more than these between two measurements that are at most <see cref="JumpSpan"/> apart.</summary>
    const double JumpCelsius = 10,
        JumpPascal = 2_000,
        JumpHumidity = 50,
        JumpCo2 = 20_000;

    static readonly TimeSpan JumpSpan = TimeSpan.FromSeconds(35);

    Measurement? previous;
    UInt128? raw;
    long sameSince;

    /// <summary>The measurement with its flags.</summary>
    public Measurement Judge(Measurement measurement)
    {
        var flags = measurement.Quality;
        if (previous is null || measurement.Raw is null || measurement.Raw != raw || IsCleanAir(measurement))
            (raw, sameSince) = (measurement.Raw, measurement.Timestamp);
        else if (clock.GetElapsedTime(sameSince, measurement.Timestamp) >= stuckAfter)
            flags |= Quality.Stuck;
        if (
            previous is { } before
            && clock.GetElapsedTime(before.Timestamp, measurement.Timestamp) <= JumpSpan
            && IsJump(before, measurement)
        )
            flags |= Quality.Jump;
        previous = measurement;
        return measurement with { Quality = flags };
    }

    // The SGP30 reports exactly these values as long as the air is clean.
    static bool IsCleanAir(Measurement measurement) => measurement is { EquivalentCo2Ppm: 400, TvocPpb: 0 };

    static bool IsJump(Measurement before, Measurement now) =>
        Differ(before.TemperatureC, now.TemperatureC, JumpCelsius)
        || Differ(before.PressurePa, now.PressurePa, JumpPascal)
        || Differ(before.HumidityPercent, now.HumidityPercent, JumpHumidity)
        || Differ(before.Co2Ppm, now.Co2Ppm, JumpCo2);

    static bool Differ(double? one, double? other, double most) => one is { } a && other is { } b && Math.Abs(a - b) > most;
}
