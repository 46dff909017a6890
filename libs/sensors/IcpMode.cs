namespace ThermalStreaming.Sensors;

/// <summary>How an ICP-10125 measures: less noise takes longer.</summary>
public enum IcpMode
{
    /// <summary>1.8 ms, 3.2 Pa of noise.</summary>
    LowPower,

    /// <summary>6.3 ms, 1.6 Pa of noise.</summary>
    Normal,

    /// <summary>23.8 ms, 0.8 Pa of noise.</summary>
    LowNoise,

    /// <summary>94.5 ms, 0.4 Pa of noise.</summary>
    UltraLowNoise,
}
