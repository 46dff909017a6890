namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The source of a target column in the row.</summary>
/// <param name="Column">Position of the column in the table.</param>
/// <param name="Key">Key of the row, case-sensitive; null takes the whole row.</param>
/// <param name="Type">The cast combined with the column's own type.</param>
readonly record struct ColumnSource(int Column, string? Key, SqlType Type);
