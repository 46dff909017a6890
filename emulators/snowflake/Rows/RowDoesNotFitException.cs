namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>An accepted row no longer fits its table, because the SQL has changed.</summary>
sealed class RowDoesNotFitException(string message) : Exception(message);
