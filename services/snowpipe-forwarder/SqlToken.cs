namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>A word, number, text or sign of SQL. Comments are not tokens.</summary>
/// <param name="Text">The text; of a name in double quotes, without the quotes.</param>
/// <param name="Line">From 1.</param>
/// <param name="IsQuoted">In double quotes, so always a name.</param>
readonly record struct SqlToken(string Text, int Line, bool IsQuoted = false)
{
    public bool IsWord => !IsQuoted && (char.IsLetter(Text[0]) || Text[0] == '_');

    /// <summary>Whether it is this word or sign, in any case.</summary>
    public bool Is(string text) => !IsQuoted && Text.Equals(text, StringComparison.OrdinalIgnoreCase);

    /// <summary>Splits SQL into tokens.</summary>
    /// <exception cref="FormatException">A comment, text or name does not end.</exception>
    public static List<SqlToken> Split(string sql)
    {
        var tokens = new List<SqlToken>();
        var line = 1;
        for (var at = 0; at < sql.Length; )
        {
            var letter = sql[at];
            if (letter is '\n')
                line++;
            if (char.IsWhiteSpace(letter) || letter == '\uFEFF')
            {
                at++;
            }
            else if (Starts(sql, at, "--") || Starts(sql, at, "//"))
            {
                at = sql.IndexOf('\n', at) is var end and >= 0 ? end : sql.Length;
            }
            else if (Starts(sql, at, "/*") || Starts(sql, at, "$$"))
            {
                var close = letter == '/' ? "*/" : "$$";
                var end = sql.IndexOf(close, at + 2, StringComparison.Ordinal);
                if (end < 0)
                    throw new FormatException($"line {line}: {sql.AsSpan(at, 2)} without {close}");
                line += sql.AsSpan(at, end - at).Count('\n');
                at = end + 2;
            }
            else if (letter is '\'' or '"')
            {
                var end = EndOf(sql, at, line);
                if (letter == '"')
                    tokens.Add(new(sql[(at + 1)..end].Replace("\"\"", "\"", StringComparison.Ordinal), line, IsQuoted: true));
                else
                    tokens.Add(new("'", line));
                line += sql.AsSpan(at, end - at).Count('\n');
                at = end + 1;
            }
            else
            {
                var start = at++;
                while (IsPart(letter) && at < sql.Length && IsPart(sql[at]))
                    at++;
                tokens.Add(new(sql[start..at], line));
            }
        }
        return tokens;
    }

    static int EndOf(string sql, int at, int line)
    {
        var quote = sql[at];
        for (var end = at + 1; end < sql.Length; end++)
        {
            if (sql[end] == '\\' && quote == '\'')
                end++;
            else if (sql[end] == quote && end + 1 < sql.Length && sql[end + 1] == quote)
                end++;
            else if (sql[end] == quote)
                return end;
        }
        throw new FormatException($"line {line}: {quote} is not closed");
    }

    static bool Starts(string sql, int at, string with) => sql.AsSpan(at).StartsWith(with, StringComparison.Ordinal);

    static bool IsPart(char letter) => char.IsLetterOrDigit(letter) || letter is '_' or '$';
}
