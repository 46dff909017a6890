using System.Text;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Splits Snowflake's SQL into statements and tokens.</summary>
static class SqlTokenizer
{
    /// <summary>Splits at semicolons, except within BEGIN … END and CASE … END.</summary>
    public static IEnumerable<List<SqlToken>> Statements(List<SqlToken> all)
    {
        List<SqlToken> statement = [];
        var depth = 0;
        for (var i = 0; i < all.Count; i++)
        {
            var token = all[i];
            if (token.Kind == SqlTokenKind.Word)
            {
                var next = i + 1 < all.Count ? all[i + 1].Text : ";";
                if (token.Text is "CASE" || (token.Text == "BEGIN" && next is not (";" or "TRANSACTION" or "WORK" or "NAME")))
                    depth++;
                else if (token.Text == "END" && next is not ("IF" or "LOOP" or "FOR" or "WHILE" or "REPEAT"))
                    depth = Math.Max(0, depth - 1);
            }
            if (depth > 0 || !token.IsSymbol(";"))
            {
                statement.Add(token);
                continue;
            }
            if (statement.Count > 0)
                yield return statement;
            statement = [];
        }
        if (statement.Count > 0)
            yield return statement;
    }

    /// <summary>Splits SQL into tokens; skips blanks and comments.</summary>
    /// <exception cref="SqlException">A string, a quoted name or a comment is not closed.</exception>
    public static List<SqlToken> Tokenize(string file, string sql)
    {
        List<SqlToken> tokens = [];
        int i = 0,
            line = 1;
        string Until(string end, int start, string what)
        {
            var stop = sql.IndexOf(end, start, StringComparison.Ordinal);
            if (stop < 0)
                throw new SqlException(file, line, $"{what} is not closed");
            i = stop + end.Length;
            return sql[start..stop];
        }

        while (i < sql.Length)
        {
            var c = sql[i];
            var startLine = line;
            var start = i;
            if (char.IsWhiteSpace(c) || c == '\uFEFF')
            {
                i++;
            }
            else if (string.CompareOrdinal(sql, i, "--", 0, 2) == 0 || string.CompareOrdinal(sql, i, "//", 0, 2) == 0)
            {
                while (i < sql.Length && sql[i] != '\n')
                    i++;
            }
            else if (string.CompareOrdinal(sql, i, "/*", 0, 2) == 0)
            {
                Until("*/", i + 2, "a comment");
            }
            else if (string.CompareOrdinal(sql, i, "$$", 0, 2) == 0)
            {
                var text = Until("$$", i + 2, "a $$ string");
                tokens.Add(new SqlToken(SqlTokenKind.Text, text, line, start, i));
            }
            else if (c is '\'' or '"')
            {
                var text = new StringBuilder();
                for (i++; ; i++)
                {
                    if (i >= sql.Length)
                        throw new SqlException(file, startLine, c == '"' ? "a quoted name is not closed" : "a string is not closed");
                    if (sql[i] == c)
                    {
                        if (i + 1 >= sql.Length || sql[i + 1] != c)
                            break;
                        i++;
                    }
                    else if (sql[i] == '\\' && c == '\'' && i + 1 < sql.Length)
                    {
                        i++;
                        text.Append(
                            sql[i] switch
                            {
                                'n' => '\n',
                                't' => '\t',
                                'r' => '\r',
                                '0' => '\0',
                                var other => other,
                            }
                        );
                        continue;
                    }
                    text.Append(sql[i]);
                }
                i++;
                tokens.Add(new SqlToken(c == '"' ? SqlTokenKind.Quoted : SqlTokenKind.Text, text.ToString(), line, start, i));
            }
            else if (char.IsLetter(c) || c == '_')
            {
                while (i < sql.Length && (char.IsLetterOrDigit(sql[i]) || sql[i] is '_' or '$'))
                    i++;
                var word = sql[start..i];
                tokens.Add(new SqlToken(SqlTokenKind.Word, word.ToUpperInvariant(), line, start, i));
            }
            else if (char.IsAsciiDigit(c))
            {
                while (i < sql.Length && (char.IsAsciiLetterOrDigit(sql[i]) || sql[i] == '.'))
                    i++;
                tokens.Add(new SqlToken(SqlTokenKind.Number, sql[start..i], line, start, i));
            }
            else if (c == '$' && i + 1 < sql.Length && char.IsLetterOrDigit(sql[i + 1]))
            {
                i++;
                while (i < sql.Length && (char.IsLetterOrDigit(sql[i]) || sql[i] == '_'))
                    i++;
                tokens.Add(new SqlToken(SqlTokenKind.Column, sql[start..i], line, start, i));
            }
            else
            {
                i += sql.AsSpan(i) is ['=', '>', ..] or [':', ':', ..] ? 2 : 1;
                tokens.Add(new SqlToken(SqlTokenKind.Symbol, sql[start..i], line, start, i));
            }
            for (var j = start; j < i; j++)
            {
                if (sql[j] == '\n')
                    line++;
            }
        }
        return tokens;
    }
}
