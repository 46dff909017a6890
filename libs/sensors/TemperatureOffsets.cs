namespace ThermalStreaming.Sensors;

/// <summary>
/// How much warmer than the air the sensors of a kind are in their case, °C. The SCD4x is not included: its chip corrects itself.
/// </summary>
public sealed record TemperatureOffsets
{
    /// <summary>SHT4x.</summary>
    public double Sht4x { get; init; }

    /// <summary>BME280 and BMP280.</summary>
    public double Bmx280 { get; init; }

    /// <summary>BME680 and BME688.</summary>
    public double Bme68x { get; init; }

    /// <summary>DS18B20.</summary>
    public double Ds18b20 { get; init; }

    /// <summary>
    /// The measurement corrected for the warmth. The air holds the same water, so its relative humidity rises as its temperature falls.
    /// </summary>
    internal static Measurement Correct(Measurement measurement, double offset)
    {
        if (offset == 0 || measurement.TemperatureC is not { } shown)
            return measurement;
        var celsius = shown - offset;
        return measurement with
        {
            TemperatureC = celsius,
            HumidityPercent = measurement.HumidityPercent is { } percent
                ? Math.Clamp(percent * AbsoluteHumidity.SaturationPressure(shown) / AbsoluteHumidity.SaturationPressure(celsius), 0, 100)
                : null,
        };
    }
}
