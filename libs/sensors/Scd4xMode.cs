namespace ThermalStreaming.Sensors;

/// <summary>How an SCD4x measures.</summary>
public enum Scd4xMode
{
    /// <summary>Every 5 s, 15 mA on average.</summary>
    Periodic,

    /// <summary>Every 30 s, 3 mA on average.</summary>
    LowPower,

    /// <summary>On request; only SCD41 and SCD43.</summary>
    SingleShot,
}
