namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>Snowflake's answer to an open.</summary>
sealed record OpenedChannel(string ContinuationToken, ChannelStatus Status);
