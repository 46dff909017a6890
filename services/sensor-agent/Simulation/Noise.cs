namespace ThermalStreaming.SensorAgent;

/// <summary>
/// A drifting normal value around 0, as a function of time: points a period apart are independent, and between two of them it moves from
/// one to the other at constant deviation. Immutable.
/// </summary>
readonly struct Noise
{
    readonly Draws draws;
    readonly double deviation;
    readonly long period,
        phase;

    /// <param name="draws">Its random numbers.</param>
    /// <param name="deviation">Its standard deviation.</param>
    /// <param name="period">After this time the value is independent of its past.</param>
    public Noise(Draws draws, double deviation, TimeSpan period)
    {
        this.draws = draws;
        this.deviation = deviation;
        this.period = period.Ticks;
        // So that not all change direction at the same instant.
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
