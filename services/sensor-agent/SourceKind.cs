namespace ThermalStreaming.SensorAgent;

/// <summary>Where environmental values come from.</summary>
enum SourceKind
{
    /// <summary>From the sensors that are attached; nothing is made up.</summary>
    Auto,

    /// <summary>As <see cref="Auto"/>, and the agent is not well without any.</summary>
    Hardware,

    /// <summary>Made up.</summary>
    Simulate,

    /// <summary>From a file that was recorded.</summary>
    Replay,
}
