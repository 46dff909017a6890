namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>What a column of the target gets from a file.</summary>
/// <param name="Column">Position of the column in the table.</param>
/// <param name="Field">Which value.</param>
/// <param name="Key">Key of the record, case-sensitive; null takes the whole record.</param>
/// <param name="Type">The cast and the column's own type in one.</param>
readonly record struct LoadSource(int Column, LoadField Field, string? Key, SqlType Type);
