namespace ThermalStreaming.Sensors;

/// <summary>How a sensor is.</summary>
public enum SensorState
{
    /// <summary>Not looked for yet, or it has no value yet.</summary>
    Starting,

    /// <summary>It delivers.</summary>
    Working,

    /// <summary>Nothing of its kind was ever found at its address. It is looked for every minute.</summary>
    Missing,

    /// <summary>It was found, and does not deliver now. It is tried again every 1 to 30 s.</summary>
    Failing,

    /// <summary>Its bus does not work.</summary>
    NoBus,
}
