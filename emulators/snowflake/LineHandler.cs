namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Receives each line of a body; the span is only good during the call. False ends the reading.</summary>
delegate bool LineHandler(int index, ReadOnlySpan<byte> line);
