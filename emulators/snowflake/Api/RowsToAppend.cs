namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The rows of one append.</summary>
/// <param name="Encoding">How <paramref name="Body"/> is compressed.</param>
/// <param name="Body">NDJSON.</param>
/// <param name="Tokens">Offset tokens of the rows.</param>
/// <param name="DeclaredRows">Number of rows that the client declares; null if it declares none.</param>
readonly record struct RowsToAppend(RowEncoding Encoding, ReadOnlyMemory<byte> Body, OffsetTokens Tokens, long? DeclaredRows = null);
