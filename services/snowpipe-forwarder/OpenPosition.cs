namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>Where delivery continues in an opened channel.</summary>
/// <param name="ContinuationToken">Token for the next append.</param>
/// <param name="Status">The channel's status in the answer to the open.</param>
/// <param name="Record">The channel's record.</param>
/// <param name="Position">First offset to send.</param>
/// <param name="TokenEnd">One past the committed token; null if the channel has no token of this journal.</param>
sealed record OpenPosition(string ContinuationToken, ChannelStatus Status, ChannelRecord Record, long Position, long? TokenEnd);
