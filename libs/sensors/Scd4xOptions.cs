namespace ThermalStreaming.Sensors;

/// <summary>How to use an SCD4x. Null leaves the sensor's own setting unchanged.</summary>
public sealed record Scd4xOptions
{
    /// <summary>How it measures. Default periodic.</summary>
    public Scd4xMode Mode { get; init; }

    /// <summary>Time between two single shots, 5 s or more. Default 1 min.</summary>
    public TimeSpan SingleShotInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How much warmer the sensor is than the air, °C, 0 to 20. The factory setting is 4.</summary>
    public double? TemperatureOffsetC { get; init; }

    /// <summary>Height above sea level, m, 0 to 3,000; used for CO₂ until a barometer has delivered a pressure.</summary>
    public int? AltitudeMetres { get; init; }

    /// <summary>Automatic self-calibration: needs fresh air of 400 ppm every week.</summary>
    public bool? SelfCalibration { get; init; }
}
