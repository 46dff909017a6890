namespace ThermalStreaming.Sensors;

/// <summary>The resistance of a BME680's or BME688's gas sensor.</summary>
static class BmeGas
{
    static ReadOnlySpan<double> First => [0, 0, 0, 0, 0, -1, 0, -0.8, 0, 0, -0.2, -0.5, 0, -1, 0, 0];

    static ReadOnlySpan<double> Second => [0, 0, 0, 0, 0.1, 0.7, 0, -0.8, -0.1, 0, 0, 0, 0, 0, 0, 0];

    /// <returns>Ω, for a BME680.</returns>
    public static double OhmLow(int adc, int range, int switchingError)
    {
        var first = (1_340 + 5 * switchingError) * (1 + First[range] / 100);
        return 1 / ((1 + Second[range] / 100) * 1.25e-7 * (1 << range) * ((adc - 512) / first + 1));
    }

    /// <returns>Ω, for a BME688.</returns>
    public static double OhmHigh(int adc, int range) => 1e6 * (262_144 >> range) / (4_096 + 3 * (adc - 512));

    /// <summary>The register value of a heating time: 6 bits of milliseconds, times 1, 4, 16 or 64.</summary>
    public static byte WaitCode(int milliseconds)
    {
        var factor = 0;
        while (milliseconds > 63 && factor < 3)
        {
            milliseconds /= 4;
            factor++;
        }
        return (byte)(factor << 6 | Math.Min(milliseconds, 63));
    }
}
