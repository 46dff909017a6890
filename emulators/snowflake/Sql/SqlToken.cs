namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>A word, name, string, number or symbol of SQL.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">A word in upper case, a string or quoted name without its quotes, anything else as it was written.</param>
/// <param name="Line">Line in the file, from 1.</param>
/// <param name="Start">Where it begins in the SQL.</param>
/// <param name="End">Where it ends: the position of the first character behind it.</param>
readonly record struct SqlToken(SqlTokenKind Kind, string Text, int Line, int Start, int End)
{
    /// <summary>It is this word, not quoted. Give it in upper case.</summary>
    public bool IsWord(string word) => Kind == SqlTokenKind.Word && Text == word;

    /// <summary>It is this symbol.</summary>
    public bool IsSymbol(string symbol) => Kind == SqlTokenKind.Symbol && Text == symbol;
}
