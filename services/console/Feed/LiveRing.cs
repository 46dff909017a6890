namespace ThermalStreaming.Console;

/// <summary>The newest value for each two seconds of the last five minutes. Not thread-safe.</summary>
sealed class LiveRing
{
    /// <summary>Seconds per point.</summary>
    public const int Step = 2;

    /// <summary>Points of five minutes.</summary>
    public const int Length = 150;

    readonly long[] steps = new long[Length];
    readonly float[] values = new float[Length];

    /// <param name="second">Seconds since 1970.</param>
    /// <param name="value">Finite.</param>
    public void Add(long second, double value)
    {
        var step = second / Step;
        var at = (int)(step % Length);
        if (steps[at] <= step)
            (steps[at], values[at]) = (step, (float)value);
    }

    /// <summary>The points of the last five minutes, in order.</summary>
    /// <param name="now">Seconds since 1970.</param>
    public IEnumerable<(long Second, float Value)> Until(long now)
    {
        for (var step = Math.Max(1, now / Step - Length + 1); step <= now / Step; step++)
        {
            if (steps[step % Length] == step)
                yield return (step * Step, values[step % Length]);
        }
    }
}
