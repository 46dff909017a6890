namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>What the active faults mean for one call.</summary>
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

    /// <summary>Behave as Snowflake does while the pipe is invalid: accept rows and discard them.</summary>
    public bool InvalidPipe { get; set; }

    /// <summary>What host discovery answers; null leaves it as it is.</summary>
    public string? Host { get; set; }
}
