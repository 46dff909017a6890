namespace ThermalStreaming.Sensors;

/// <summary>Where to look for sensors, and how to use them.</summary>
public sealed record SensorOptions
{
    /// <summary>Numbers of the buses: 1 is /dev/i2c-1, the pins 3 and 5 of a Pi. Others are not touched.</summary>
    public IReadOnlyList<int> Buses { get; init; } = [1];

    /// <summary>Linux's directory of the thermometers on 1-Wire buses.</summary>
    public string OneWireDirectory { get; init; } = "/sys/bus/w1/devices";

    /// <summary>How much warmer than the air the sensors are in their case. Default: no warmer.</summary>
    public TemperatureOffsets Warmth { get; init; } = new();

    /// <summary>Directory of the SGP30s' baselines.</summary>
    public string Directory { get; init; } = "/data/sensors";

    public Scd4xOptions Scd4x { get; init; } = new();

    /// <summary>How an ICP-10125 measures. Default low noise.</summary>
    public IcpMode Icp { get; init; } = IcpMode.LowNoise;

    /// <summary>How often a BME680 or BME688 heats its gas sensor. Default never.</summary>
    public GasMode Gas { get; init; }

    /// <summary>How long a sensor may repeat the same raw values before they are flagged. Default 10 min.</summary>
    public TimeSpan StuckAfter { get; init; } = TimeSpan.FromMinutes(10);
}
