namespace ThermalStreaming.Readings;

/// <summary>The source of the value under a key of a row.</summary>
enum JsonRole
{
    /// <summary>The sender's value.</summary>
    Value,

    /// <summary>The sender's value, if it sent one; otherwise the row lacks the key.</summary>
    OwnKey,

    /// <summary>The topic's device, even if the reading names another.</summary>
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
