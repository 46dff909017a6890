namespace ThermalStreaming.Bench;

/// <summary>What <see cref="DeviceFleet"/> is told, by the name of the value, a line each.</summary>
enum DeviceOrder
{
    Wait,

    /// <summary>Connect every device that has no connection.</summary>
    Connect,

    /// <summary>Take readings from now on.</summary>
    Take,

    /// <summary>Hear nothing more of the broker, and go on sending: what it acknowledges now is sent again after the cut.</summary>
    Deaf,

    /// <summary>Cut every connection at once; readings are taken all the same.</summary>
    Cut,

    /// <summary>Take no more readings. What is not acknowledged yet is still sent.</summary>
    Stop,

    End,
}
