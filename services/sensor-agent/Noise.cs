namespace ThermalStreaming.SensorAgent;

/// <summary>
/// A wandering normal value around 0, as a function of time: points a period apart are independent, and between two of them it goes over
/// from one to the other with the deviation kept. Immutable.
/// </summary>
readonly struct Noise
{
    readonly Draws draws;
    readonly double deviation;
    readonly long period,
        phase;

    /// <param name="draws">Its random numbers.</param>
    /// <param name="deviation">Its standard deviation.</param>
    /// <param name="period">After which it has forgotten.</param>
    public Noise(Draws draws, double deviation, TimeSpan period)
    {
        this.draws = draws;
        this.deviation = deviation;
        this.period = period.Ticks;
        // Not all change their course at the same instant.
        phase = (long)(draws.Of("phase").Uniform(0) * this.period);
    }

    /// <param name="ticks">The instant, in ticks of UTC.</param>
    public double At(long ticks)
    {
        var (index, rest) = Math.DivRem(ticks + phase, period);
        var angle = Math.PI / 2 * rest / period;
        return deviation * (Math.Cos(angle) * draws.Gaussian(index) + Math.Sin(angle) * draws.Gaussian(index + 1));
    }
}
