namespace ThermalStreaming.Thermalctl;

/// <summary>How a replica is, from the worst to the best.</summary>
enum ReplicaState
{
    /// <summary>No replica of the service is known.</summary>
    NotRunning,

    /// <summary>It was there, and is not any more.</summary>
    Gone,

    /// <summary>It is known and does not answer, or refuses to.</summary>
    NoAnswer,

    /// <summary>A part of it is not well.</summary>
    Problem,

    /// <summary>Somebody paused its delivery.</summary>
    Paused,

    /// <summary>Every part is well.</summary>
    Well,
}
