namespace ThermalStreaming.SensorAgent;

/// <summary>Which time a reading has that is replayed.</summary>
enum ReplayTime
{
    /// <summary>When it is replayed, as if its sensor had delivered it then.</summary>
    Now,

    /// <summary>When it was recorded.</summary>
    Recorded,
}
