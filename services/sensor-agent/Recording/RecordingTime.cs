namespace ThermalStreaming.SensorAgent;

/// <summary>Which time a replayed reading gets.</summary>
enum RecordingTime
{
    /// <summary>The time of the replay, as if its sensor had delivered it then.</summary>
    Now,

    /// <summary>The time at which it was recorded.</summary>
    Recorded,
}
