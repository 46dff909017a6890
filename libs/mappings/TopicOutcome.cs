namespace ThermalStreaming.Mappings;

/// <summary>What the mappings say of a topic.</summary>
public enum TopicOutcome
{
    /// <summary>A mapping takes it.</summary>
    Mapped,

    /// <summary>A mapping knows it and makes no reading of this kind of it.</summary>
    LeftOut,

    /// <summary>A subscription takes it, because its wildcards do, and no mapping does.</summary>
    Unmapped,

    /// <summary>No subscription takes it: it came by one of earlier mappings.</summary>
    Foreign,

    /// <summary>A mapping takes it, and the device that it names cannot be one.</summary>
    Refused,
}
