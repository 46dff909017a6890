namespace ThermalStreaming.Readings;

/// <summary>Where the value that a row has under a key comes from.</summary>
enum JsonRole
{
    /// <summary>The sender's value.</summary>
    Value,

    /// <summary>The sender's value, where it sent one: the row has no such key otherwise.</summary>
    OwnKey,

    /// <summary>The topic's device, whatever the reading names.</summary>
    DeviceId,

    /// <summary>Of the reading's identity.</summary>
    BootId,

    /// <summary>Of the reading's identity.</summary>
    Sequence,

    /// <summary>The reading's instant, ISO 8601.</summary>
    Instant,

    /// <summary>The reading's instant in seconds since 1970.</summary>
    Second,

    /// <summary>The sender's text, or else the reading's instant as the original wrote it.</summary>
    SystemTime,
}
