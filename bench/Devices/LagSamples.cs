namespace ThermalStreaming.Bench;

/// <summary>
/// How late readings were known to be committed: the count of committed readings is sampled, and the n-th committed reading is taken for the
/// n-th that was taken, which holds while one slot takes messages in the order of their arrival. Not thread-safe.
/// </summary>
/// <param name="takenAt">When the n-th reading was taken, as a timestamp.</param>
/// <param name="ticksPerSecond">Of these timestamps.</param>
sealed class LagSamples(Func<long, double> takenAt, long ticksPerSecond)
{
    /// <summary>Of the readings that one sample found, so many at most are looked at.</summary>
    const int MostOfSample = 100;

    readonly List<(double Seconds, double Readings)> lags = [];
    long known = -1;

    /// <summary>Notes how many readings were committed at a time.</summary>
    public void Note(long at, long committed)
    {
        if (known >= 0 && committed > known)
        {
            var looks = (int)Math.Min(MostOfSample, committed - known);
            for (var look = 1; look <= looks; look++)
                lags.Add(
                    ((at - takenAt(known + (committed - known) * look / looks)) / ticksPerSecond, (double)(committed - known) / looks)
                );
        }
        known = committed;
    }

    /// <summary>The lag that this share of the readings did not exceed, in seconds; not a number without readings.</summary>
    public double Percentile(double share)
    {
        var wanted = share * lags.Sum(lag => lag.Readings);
        foreach (var (seconds, readings) in lags.OrderBy(lag => lag.Seconds))
        {
            wanted -= readings;
            if (wanted <= 1e-9)
                return seconds;
        }
        return double.NaN;
    }
}
