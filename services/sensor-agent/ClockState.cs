namespace ThermalStreaming.SensorAgent;

/// <summary>What is known of the machine's clock.</summary>
enum ClockState
{
    /// <summary>The kernel does not say: readings carry the machine's time as it is.</summary>
    Unknown,

    /// <summary>It follows an NTP server, or did and has not been stepped since.</summary>
    Synchronised,

    /// <summary>It does not yet: readings are kept until it does, or until patience ends.</summary>
    Waiting,

    /// <summary>It does not: readings carry the machine's time as it is, and say so.</summary>
    Unsynchronised,
}
