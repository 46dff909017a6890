namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The effect of an append, done or predicted.</summary>
enum AppendOutcome
{
    /// <summary>The rows are buffered.</summary>
    Applied,

    /// <summary>The continuation token was used before; nothing was done, and the current one is returned.</summary>
    Repeated,

    /// <summary>Another open has made the continuation token stale.</summary>
    Stale,

    /// <summary>The row sequencer is ahead of the channel's.</summary>
    AheadOfChannel,

    /// <summary>The channel has been invalidated and must be reopened.</summary>
    MustReopen,

    /// <summary>There is no such channel.</summary>
    NoChannel,
}
