namespace ThermalStreaming.Sensors;

/// <summary>Water in the air, which the SGP30 needs to correct its values. Thread-safe.</summary>
public static class AbsoluteHumidity
{
    /// <summary>Water in air of a given temperature and relative humidity (Magnus, accurate from −45 to 60 °C).</summary>
    /// <param name="celsius">°C.</param>
    /// <param name="percent">Relative humidity, %.</param>
    /// <returns>g/m³.</returns>
    public static double Of(double celsius, double percent) => 216.7 * (percent / 100 * SaturationPressure(celsius)) / (273.15 + celsius);

    /// <summary>Saturation pressure of water at a temperature in °C, in hPa (Magnus).</summary>
    public static double SaturationPressure(double celsius) => 6.112 * Math.Exp(17.62 * celsius / (243.12 + celsius));

    /// <summary>The SGP30's form, in 1/256 g/m³. Never 0, because 0 switches the correction off.</summary>
    internal static ushort Word(double gramsPerCubicMetre) => (ushort)Math.Clamp(Math.Round(gramsPerCubicMetre * 256), 1, ushort.MaxValue);
}
