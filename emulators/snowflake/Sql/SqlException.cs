namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>A SQL file contains something that this emulator does not understand.</summary>
sealed class SqlException(string file, int line, string problem) : Exception($"{file}:{line}: {problem}");
