namespace ThermalStreaming.SensorAgent;

/// <summary>
/// Gaussian noise around 0 that remembers: an Ornstein–Uhlenbeck process, exact for any step, so its statistics do not depend on how often
/// it is asked.
/// </summary>
sealed class Noise(Random random, double deviation, TimeSpan memory)
{
    public double Value { get; private set; } = deviation * Gaussian(random);

    public double Next(TimeSpan span)
    {
        if (span <= TimeSpan.Zero)
            return Value;
        var kept = Math.Exp(-span / memory);
        return Value = Value * kept + deviation * Math.Sqrt(1 - kept * kept) * Gaussian(random);
    }

    // Box and Muller; 1 − u keeps the logarithm finite.
    static double Gaussian(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
