namespace ThermalStreaming.Thermalctl;

/// <summary>The state of a replica, from the worst to the best.</summary>
enum ReplicaState
{
    /// <summary>No replica of the service is known.</summary>
    NotRunning,

    /// <summary>It was there, but is not any more.</summary>
    Gone,

    /// <summary>It is known but does not answer, or refuses to.</summary>
    NoAnswer,

    /// <summary>Something about it is urgent.</summary>
    Problem,

    /// <summary>Somebody paused its delivery.</summary>
    Paused,

    /// <summary>It holds readings back until the machine's clock is synchronised.</summary>
    Waits,

    /// <summary>Nothing about it is urgent.</summary>
    Well,
}
