namespace ThermalStreaming.Console;

/// <summary>
/// Least, mean and greatest value of each minute of the last 24 hours. Each minute replaces the one a day before. Not thread-safe.
/// </summary>
sealed class MinuteRing
{
    /// <summary>Minutes of a day.</summary>
    public const int Length = 24 * 60;

    readonly long[] minutes = new long[Length];
    readonly int[] counts = new int[Length];
    readonly float[] least = new float[Length];
    readonly float[] means = new float[Length];
    readonly float[] greatest = new float[Length];

    /// <param name="minute">Minutes since 1970.</param>
    /// <param name="value">Finite.</param>
    public void Add(long minute, double value)
    {
        var (at, number) = ((int)(minute % Length), (float)value);
        if (minutes[at] > minute)
            return;
        if (minutes[at] != minute)
        {
            (minutes[at], counts[at], least[at], means[at], greatest[at]) = (minute, 1, number, number, number);
            return;
        }
        counts[at] = Math.Min(counts[at] + 1, int.MaxValue - 1);
        least[at] = Math.Min(least[at], number);
        means[at] += (number - means[at]) / counts[at];
        greatest[at] = Math.Max(greatest[at], number);
    }

    /// <summary>Restores a value from a file, unless one of that minute or later has arrived.</summary>
    public void Restore(MinuteValue value)
    {
        var at = (int)(value.Minute % Length);
        if (minutes[at] < value.Minute)
            (minutes[at], counts[at], least[at], means[at], greatest[at]) = (value.Minute, 1, value.Least, value.Mean, value.Greatest);
    }

    /// <summary>The minutes that have values, in order.</summary>
    /// <param name="from">The first, minutes since 1970.</param>
    /// <param name="until">One past the last.</param>
    public IEnumerable<MinuteValue> Between(long from, long until)
    {
        for (var minute = Math.Max(from, until - Length); minute < until; minute++)
        {
            var at = (int)(minute % Length);
            if (minutes[at] == minute && minute > 0)
                yield return new MinuteValue(minute, least[at], means[at], greatest[at]);
        }
    }
}
