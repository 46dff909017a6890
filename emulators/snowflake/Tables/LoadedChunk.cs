namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Some rows of a file that is being loaded.</summary>
/// <param name="Offset">Where they begin in the spool.</param>
/// <param name="Length">Their bytes there, compressed.</param>
/// <param name="Rows">How many they are.</param>
/// <param name="Crc32C">Checksum of the bytes.</param>
readonly record struct LoadedChunk(long Offset, int Length, int Rows, uint Crc32C);
