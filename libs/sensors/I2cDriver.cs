namespace ThermalStreaming.Sensors;

/// <summary>A sensor on an I²C bus.</summary>
abstract class I2cDriver(SensorLink link) : SensorDriver(link.Sensor)
{
    /// <summary>The link to the sensor.</summary>
    protected SensorLink Link { get; } = link;

    public sealed override string? BusProblem => Link.BusProblem;
}
