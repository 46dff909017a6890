namespace ThermalStreaming.Sensors;

/// <summary>The state of a sensor.</summary>
public enum SensorState
{
    /// <summary>Not looked for yet, or it has no value yet.</summary>
    Starting,

    /// <summary>It delivers values.</summary>
    Working,

    /// <summary>No such sensor was ever found at its address. The runner looks for it every minute.</summary>
    Missing,

    /// <summary>It was found, but does not deliver now. The runner retries every 1 to 30 s.</summary>
    Failing,

    /// <summary>Its bus does not work.</summary>
    NoBus,
}
