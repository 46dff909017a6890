namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Receives a rejected row.</summary>
delegate void RejectionHandler(Pipe pipe, string channel, OffsetTokens tokens, long atMs, string error, ReadOnlySpan<byte> row);
