namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The effect of the active faults on one call.</summary>
sealed class FaultPlan
{
    /// <summary>Wait before the call is handled.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>Answer with this fault instead of handling the call.</summary>
    public Fault? Refuse { get; set; }

    /// <summary>Cut the connection instead of handling the call.</summary>
    public bool AbortBefore { get; set; }

    /// <summary>Handle the call, then cut the connection.</summary>
    public bool LoseReply { get; set; }

    /// <summary>Behave like Snowflake while the pipe is invalid: accept rows and discard them.</summary>
    public bool InvalidPipe { get; set; }

    /// <summary>Answer of host discovery; null leaves it unchanged.</summary>
    public string? Host { get; set; }
}
