namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The first record of a file that could not be loaded.</summary>
/// <param name="Message">The reason, without values.</param>
/// <param name="Line">The line in the file, from 1; null if the error concerns the whole file.</param>
/// <param name="Character">The byte in that line, from 1.</param>
/// <param name="Column">The column that a value does not fit; null if there is none.</param>
sealed record LoadError(string Message, long? Line = null, long? Character = null, string? Column = null)
{
    public override string ToString() =>
        Message + (Column is null ? "" : $", column {Column}") + (Line is null ? "" : $", line {Line}, character {Character}");
}
