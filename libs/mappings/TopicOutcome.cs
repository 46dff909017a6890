namespace ThermalStreaming.Mappings;

/// <summary>What the mappings do with a topic.</summary>
public enum TopicOutcome
{
    /// <summary>A mapping takes it.</summary>
    Mapped,

    /// <summary>A mapping knows it, but makes no reading of this kind from it.</summary>
    LeftOut,

    /// <summary>A subscription takes it by its wildcards, but no mapping does.</summary>
    Unmapped,

    /// <summary>No subscription takes it: it arrived by a subscription of earlier mappings.</summary>
    Foreign,

    /// <summary>A mapping takes it, but the device that it names is not possible.</summary>
    Refused,
}
