namespace ThermalStreaming.SensorAgent;

/// <summary>Where environmental values come from.</summary>
enum SourceKind
{
    /// <summary>From the attached sensors; nothing is simulated.</summary>
    Auto,

    /// <summary>As <see cref="Auto"/>, but the agent is unwell without sensors.</summary>
    Hardware,

    /// <summary>Simulated.</summary>
    Simulate,

    /// <summary>From a recorded file.</summary>
    Replay,
}
