namespace ThermalStreaming.Console;

/// <summary>Whether a replica is present.</summary>
enum ReplicaPresence
{
    /// <summary>Its last answer is fresh.</summary>
    Answering,

    /// <summary>Its address exists, but it does not answer.</summary>
    Silent,

    /// <summary>Its address no longer exists: it was stopped, killed or removed.</summary>
    Gone,
}
