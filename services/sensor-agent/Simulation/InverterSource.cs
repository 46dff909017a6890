namespace ThermalStreaming.SensorAgent;

/// <summary>Where inverter readings come from.</summary>
enum InverterSource
{
    /// <summary>From a generated fleet.</summary>
    Simulate,

    /// <summary>From a recorded file.</summary>
    Replay,
}
