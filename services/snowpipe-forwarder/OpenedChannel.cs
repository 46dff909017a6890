namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>What an open said.</summary>
sealed record OpenedChannel(string ContinuationToken, ChannelStatus Status);
