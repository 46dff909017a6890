namespace ThermalStreaming.Sensors;

/// <summary>Pressure and temperature from the raw values of an ICP-10125, as its data sheet (DS-000329 r1.1, 5.13) computes them.</summary>
static class IcpConversion
{
    const double P1 = 45_000,
        P2 = 80_000,
        P3 = 105_000,
        Quadratic = 1 << 24;

    /// <param name="c">The four calibration words of the chip.</param>
    /// <param name="pressure">24 bits.</param>
    /// <param name="temperature">16 bits.</param>
    /// <returns>Pa.</returns>
    public static double Pascal(ReadOnlySpan<short> c, uint pressure, ushort temperature)
    {
        var t = temperature - 32_768.0;
        var s1 = 3.5 * (1 << 20) + c[0] * t * t / Quadratic;
        var s2 = 2048.0 * c[3] + c[1] * t * t / Quadratic;
        var s3 = 11.5 * (1 << 20) + c[2] * t * t / Quadratic;
        var cc = (s1 * s2 * (P1 - P2) + s2 * s3 * (P2 - P3) + s3 * s1 * (P3 - P1)) / (s3 * (P1 - P2) + s1 * (P2 - P3) + s2 * (P3 - P1));
        var a = (P1 * s1 - P2 * s2 - (P2 - P1) * cc) / (s1 - s2);
        var b = (P1 - a) * (s1 + cc);
        return a + b / (cc + pressure);
    }

    /// <returns>°C. The divisor is 65536 here, and 65535 in the SCD4x.</returns>
    public static double Celsius(ushort temperature) => -45 + 175.0 * temperature / 65_536;

    /// <summary>The raw pressure: the second word's low byte is not part of it.</summary>
    public static uint RawPressure(ushort upper, ushort lower) => (uint)upper << 8 | (uint)lower >> 8;
}
