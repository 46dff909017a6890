namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>A pipe, or a table whose default pipe is meant, as a URL names it.</summary>
/// <param name="Database">Identifier as in the URL.</param>
/// <param name="Schema">Identifier as in the URL.</param>
/// <param name="Name">Identifier of the pipe or the table.</param>
/// <param name="IsTable">Whether <paramref name="Name"/> is a table.</param>
readonly record struct PipePath(string Database, string Schema, string Name, bool IsTable = false);
