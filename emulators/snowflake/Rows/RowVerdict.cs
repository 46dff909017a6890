namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The result of checking a body of rows.</summary>
/// <param name="Encoding">How the body is compressed.</param>
/// <param name="UncompressedLength">Bytes before compression.</param>
/// <param name="Accepted">Rows that fit the table.</param>
/// <param name="Rejections">Rows that do not: the line, from 0, and the reason.</param>
sealed record RowVerdict(RowEncoding Encoding, long UncompressedLength, int Accepted, IReadOnlyList<(int Line, string Error)> Rejections);
