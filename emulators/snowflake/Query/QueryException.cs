namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>A query cannot be run; the message says why, for the person who wrote it.</summary>
sealed class QueryException(string message) : Exception(message);
