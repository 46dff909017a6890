namespace ThermalStreaming.Sensors;

/// <summary>Where sensors are looked for, and how they are used.</summary>
public sealed record SensorOptions
{
    /// <summary>Numbers of the buses: 1 is /dev/i2c-1, the pins 3 and 5 of a Pi. Others are not touched.</summary>
    public IReadOnlyList<int> Buses { get; init; } = [1];

    /// <summary>Where Linux shows the thermometers of 1-Wire buses.</summary>
    public string OneWireDirectory { get; init; } = "/sys/bus/w1/devices";

    /// <summary>How much warmer than the air sensors are in their case. Default not at all.</summary>
    public TemperatureOffsets Warmth { get; init; } = new();

    /// <summary>Where the baselines of SGP30s are kept.</summary>
    public string Directory { get; init; } = "/data/sensors";

    public Scd4xOptions Scd4x { get; init; } = new();

    /// <summary>How an ICP-10125 measures. Default low noise.</summary>
    public IcpMode Icp { get; init; } = IcpMode.LowNoise;

    /// <summary>How often a BME680 or BME688 heats its gas sensor. Default never.</summary>
    public GasMode Gas { get; init; }

    /// <summary>How long a sensor may repeat the same raw values before they are flagged. Default 10 min.</summary>
    public TimeSpan StuckAfter { get; init; } = TimeSpan.FromMinutes(10);
}
