namespace ThermalStreaming.S3Forwarder;

/// <summary>How to treat inverter readings that break a rule.</summary>
enum InvalidReadings
{
    /// <summary>Keep them under a separate prefix, each with its reasons.</summary>
    Quarantine,

    /// <summary>Count them and leave them out.</summary>
    Drop,

    /// <summary>Count them and deliver them like the others.</summary>
    Forward,
}
