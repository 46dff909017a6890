namespace ThermalStreaming.Forwarding;

/// <summary>How readings get into Snowflake.</summary>
public enum CostRoad
{
    /// <summary>Snowpipe Streaming: rows over HTTP.</summary>
    Streaming,

    /// <summary>Objects in a bucket, which classic Snowpipe loads.</summary>
    Files,
}
