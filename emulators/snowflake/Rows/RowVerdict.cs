namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>What checking a body of rows found.</summary>
/// <param name="Encoding">How the body is compressed.</param>
/// <param name="UncompressedLength">Bytes before compression.</param>
/// <param name="Accepted">Rows that fit the table.</param>
/// <param name="Rejections">Rows that do not: the line, from 0, and why.</param>
sealed record RowVerdict(RowEncoding Encoding, long UncompressedLength, int Accepted, IReadOnlyList<(int Line, string Error)> Rejections);
