namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>A row that was accepted no longer fits its table, because the SQL has changed.</summary>
sealed class RowDoesNotFitException(string message) : Exception(message);
