namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The source of a target column in a file.</summary>
/// <param name="Column">Position of the column in the table.</param>
/// <param name="Field">Kind of the value.</param>
/// <param name="Key">Key of the record, case-sensitive; null takes the whole record.</param>
/// <param name="Type">The cast combined with the column's own type.</param>
readonly record struct LoadSource(int Column, LoadField Field, string? Key, SqlType Type);
