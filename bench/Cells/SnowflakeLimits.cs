namespace ThermalStreaming.Bench;

/// <summary>
/// What Snowflake documents for Snowpipe Streaming, high-performance architecture, as of 2026-09
/// (docs.snowflake.com/en/user-guide/snowpipe-streaming/snowpipe-streaming-high-performance-limitations). Where it says "by default", an
/// account's limit may be raised.
/// </summary>
static class SnowflakeLimits
{
    /// <summary>Appends a second of a channel, by default.</summary>
    public const int AppendsPerChannel = 10;

    /// <summary>Bytes a second of a channel, before compression.</summary>
    public const double BytesPerChannel = 20e6;

    /// <summary>Channels of a pipe, by default.</summary>
    public const int ChannelsPerPipe = 2_000;

    /// <summary>Pipes of a table.</summary>
    public const int PipesPerTable = 10;

    /// <summary>Bytes a second of a table, before compression.</summary>
    public const double BytesPerTable = 20e9;

    /// <summary>Bytes of the body of an append, as sent.</summary>
    public const double BytesPerAppend = 4e6;
}
