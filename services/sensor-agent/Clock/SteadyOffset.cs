namespace ThermalStreaming.SensorAgent;

/// <summary>
/// The offset from the time since the machine's start to the time of day, for one series of readings. When the clock is set back a little,
/// a reading must not seem to be taken before the previous one, so the offset then shrinks by at most half of the time that passes. Not
/// thread-safe.
/// </summary>
sealed class SteadyOffset
{
    /// <summary>When the clock is set back further, readings follow at once: otherwise they would be wrong for too long.</summary>
    public static readonly TimeSpan Most = TimeSpan.FromMinutes(1);

    TimeSpan? offset;
    TimeSpan at;

    /// <summary>The offset for the next reading.</summary>
    /// <param name="takenAt">Time since the machine's start; not less than that of the previous reading.</param>
    /// <param name="wanted">The clock's current offset.</param>
    public TimeSpan Next(TimeSpan takenAt, TimeSpan wanted)
    {
        var ahead = offset - wanted;
        offset =
            ahead > TimeSpan.Zero && ahead <= Most
                ? wanted + TimeSpan.FromTicks(Math.Max(0, ahead.Value.Ticks - Math.Max(0, (takenAt - at).Ticks) / 2))
                : wanted;
        at = takenAt;
        return offset.Value;
    }

    /// <summary>The readings before the next one have no dates yet.</summary>
    public void Forget() => offset = null;
}
