namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>What a column of the target gets from the row.</summary>
/// <param name="Column">Position of the column in the table.</param>
/// <param name="Key">Key of the row, case-sensitive; null takes the whole row.</param>
/// <param name="Type">The cast and the column's own type in one.</param>
readonly record struct ColumnSource(int Column, string? Key, SqlType Type);
