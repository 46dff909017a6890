namespace ThermalStreaming.Console;

/// <summary>Which of the two control services a replica offers.</summary>
enum ServiceKind
{
    /// <summary>thermal.v1.Agent.</summary>
    Agent,

    /// <summary>thermal.v1.Forwarder.</summary>
    Forwarder,
}
