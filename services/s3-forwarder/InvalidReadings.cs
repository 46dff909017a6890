namespace ThermalStreaming.S3Forwarder;

/// <summary>Where inverter readings go that break a rule.</summary>
enum InvalidReadings
{
    /// <summary>They are kept under a prefix of their own, each with its reasons.</summary>
    Quarantine,

    /// <summary>They are counted and left out.</summary>
    Drop,

    /// <summary>They are counted and delivered like the others.</summary>
    Forward,
}
