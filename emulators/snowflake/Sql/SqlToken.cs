namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>A word, name, string, number or symbol of SQL.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Text">A word in upper case, a string or quoted name without its quotes, anything else as written.</param>
/// <param name="Line">Line in the file, from 1.</param>
/// <param name="Start">Its start in the SQL.</param>
/// <param name="End">Its end: the position of the first character after it.</param>
readonly record struct SqlToken(SqlTokenKind Kind, string Text, int Line, int Start, int End)
{
    /// <summary>Whether it is this unquoted word. Give it in upper case.</summary>
    public bool IsWord(string word) => Kind == SqlTokenKind.Word && Text == word;

    /// <summary>Whether it is this symbol.</summary>
    public bool IsSymbol(string symbol) => Kind == SqlTokenKind.Symbol && Text == symbol;
}
