namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Some rows of a file that is being loaded.</summary>
/// <param name="Offset">Their start in the spool.</param>
/// <param name="Length">Their compressed size there.</param>
/// <param name="Rows">Their number.</param>
/// <param name="Crc32C">Checksum of the bytes.</param>
readonly record struct LoadedChunk(long Offset, int Length, int Rows, uint Crc32C);
