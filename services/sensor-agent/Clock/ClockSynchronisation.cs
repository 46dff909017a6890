namespace ThermalStreaming.SensorAgent;

/// <summary>What is known of the machine's clock.</summary>
enum ClockSynchronisation
{
    /// <summary>The kernel does not say: readings carry the machine's time as it is.</summary>
    Unknown,

    /// <summary>The clock follows an NTP server, or did and has not been stepped since.</summary>
    Synchronised,

    /// <summary>The clock is not synchronised yet: readings are kept until it is, or until patience ends.</summary>
    Waiting,

    /// <summary>The clock is not synchronised: readings carry the machine's time as it is, and say so.</summary>
    Unsynchronised,
}
