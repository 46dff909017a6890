namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The result of one query.</summary>
/// <param name="Line">Line of the statement's start, from 1.</param>
/// <param name="Columns">Names of the columns.</param>
/// <param name="Rows">The rows; null is NULL.</param>
/// <param name="Truncated">Whether there are more than <see cref="QueryLimits.Rows"/>, of which these are the first.</param>
sealed record QueryResult(int Line, IReadOnlyList<string> Columns, IReadOnlyList<object?[]> Rows, bool Truncated);
