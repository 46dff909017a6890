namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Destination of the rows of an append.</summary>
/// <param name="Pipe">The pipe.</param>
/// <param name="Channel">Name of the channel as sent.</param>
/// <param name="Token">The continuation token; null for the elastic channel, which has none.</param>
sealed record AppendCall(Pipe Pipe, string Channel, ContinuationToken? Token);
