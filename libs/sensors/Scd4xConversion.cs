namespace ThermalStreaming.Sensors;

/// <summary>Converts between the words of an SCD4x and units.</summary>
static class Scd4xConversion
{
    const double FullScale = 65_535;

    public static double Celsius(ushort word) => -45 + 175 * word / FullScale;

    public static double Percent(ushort word) => 100 * word / FullScale;

    /// <summary>Only bits 10 to 0 count; the others are arbitrary.</summary>
    public static bool IsReady(ushort word) => (word & 0x07FF) != 0;

    public static ushort OffsetWord(double celsius) => (ushort)Math.Round(celsius * FullScale / 175);

    public static double OffsetCelsius(ushort word) => word * 175 / FullScale;

    /// <summary>The sensor takes hectopascals, 700 to 1,200; null outside that range.</summary>
    public static ushort? PressureWord(double pascal) => pascal is >= 70_000 and <= 120_000 ? (ushort)Math.Round(pascal / 100) : null;

    /// <summary>The correction of a forced recalibration, ppm; null if it failed.</summary>
    public static int? Correction(ushort word) => word == 0xFFFF ? null : word - 0x8000;
}
