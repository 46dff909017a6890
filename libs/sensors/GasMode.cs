namespace ThermalStreaming.Sensors;

/// <summary>How often a BME680 or BME688 heats its gas sensor. Heating warms the sensor itself.</summary>
public enum GasMode
{
    /// <summary>Never: temperature and humidity are most accurate.</summary>
    Off,

    /// <summary>Every 5 minutes.</summary>
    UltraLowPower,

    /// <summary>Every 3 s.</summary>
    LowPower,
}
