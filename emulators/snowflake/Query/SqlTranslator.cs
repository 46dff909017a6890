using System.Text;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// Rewrites one statement of Snowflake's SQL for DuckDB, which understands most of it unchanged. Functions with another name or meaning in
/// DuckDB are macros (<see cref="QuerySession"/>); this does what no macro can. Used once.
/// </summary>
sealed class SqlTranslator
{
    readonly string sql;
    readonly IReadOnlyList<SqlToken> tokens;
    readonly StringBuilder output = new();

    // Start of the last name in the output, with its qualifiers.
    int nameStart;
    int at;

    SqlTranslator(string sql, IReadOnlyList<SqlToken> tokens)
    {
        this.sql = sql;
        this.tokens = tokens;
    }

    /// <summary>The statement in DuckDB's dialect, on the same lines.</summary>
    /// <param name="sql">The text that contains the tokens.</param>
    /// <param name="statement">The statement, without a semicolon.</param>
    public static string Translate(string sql, IReadOnlyList<SqlToken> statement)
    {
        var translator = new SqlTranslator(sql, statement);
        while (translator.at < statement.Count)
            translator.Step();
        return translator.output.ToString();
    }

    void Step()
    {
        if (at > 0)
            WriteGap();
        if (Matches("COMMENT", "=") && tokens[0].IsWord("CREATE") && !tokens.Take(at).Any(token => token.IsWord("AS")))
            Write("", 3);
        else if (Matches("TABLE", "(", "GENERATOR", "(", "ROWCOUNT", "=>") && at + 8 < tokens.Count)
            Write($"(SELECT range AS \"$seq\" FROM range({tokens[at + 6].Text}))", 9);
        else if (tokens[at].Text is "SEQ1" or "SEQ2" or "SEQ4" or "SEQ8" && Matches(tokens[at].Text, "(", ")"))
            Write("\"$seq\"", 3);
        else if (Matches("CURRENT_TIMESTAMP", "(", ")"))
            Write("SYSDATE()", 3);
        else if (tokens[at].Text is "DATE_PART" && PartAt(at + 2) == "EPOCH_SECOND")
            Write("EPOCH_SECOND(", 4);
        else if (tokens[at].Text is "DATEADD" or "DATEDIFF" or "DATE_TRUNC" or "DATE_PART" && PartAt(at + 2) is { } part)
            Write($"{tokens[at].Text}('{part}',", 4);
        else if (Matches("TABLE", "(") && CopyHistoryAt(at + 2) is { } function)
            Write("(FROM COPY_HISTORY", function + 1 - at);
        else if (at > 0 && tokens[at - 1].IsSymbol("::") && tokens[at].Text is "TIMESTAMP_NTZ" or "TIMESTAMP_LTZ" or "TIMESTAMP_TZ")
            Write(tokens[at].Text == "TIMESTAMP_NTZ" ? "TIMESTAMP" : "TIMESTAMPTZ", 1);
        else if (tokens[at].IsSymbol(":") && at + 1 < tokens.Count)
            WritePath();
        else
            WriteToken();
    }

    /// <summary>Whether the next tokens are these words and symbols.</summary>
    bool Matches(params ReadOnlySpan<string> words)
    {
        for (var i = 0; i < words.Length; i++)
        {
            if (at + i >= tokens.Count || !(tokens[at + i].IsWord(words[i]) || tokens[at + i].IsSymbol(words[i])))
                return false;
        }
        return true;
    }

    /// <summary>Position of the word COPY_HISTORY, after an optional database and INFORMATION_SCHEMA; null if it is not there.</summary>
    int? CopyHistoryAt(int index)
    {
        while (index + 2 < tokens.Count && tokens[index + 1].IsSymbol("."))
            index += 2;
        return index < tokens.Count && tokens[index].IsWord("COPY_HISTORY") ? index : null;
    }

    /// <summary>The name of a part of a date, quoted or not, as the first of several arguments; null if something else is there.</summary>
    string? PartAt(int index) =>
        index + 1 < tokens.Count
        && tokens[index - 1].IsSymbol("(")
        && tokens[index + 1].IsSymbol(",")
        && tokens[index].Kind is SqlTokenKind.Word or SqlTokenKind.Text
            ? tokens[index].Text.ToUpperInvariant()
            : null;

    /// <summary>Writes the line ends between two tokens, so that errors name the right line. Leaves comments out.</summary>
    void WriteGap()
    {
        var gap = sql.AsSpan(tokens[at - 1].End, tokens[at].Start - tokens[at - 1].End);
        if (gap.Contains('\n'))
            output.Append('\n', gap.Count('\n'));
        else if (gap.Length > 0)
            output.Append(' ');
    }

    void Write(string text, int count)
    {
        output.Append(text);
        at += count;
    }

    void WriteToken()
    {
        var token = tokens[at];
        if (token.Kind is SqlTokenKind.Word or SqlTokenKind.Quoted && !(at > 0 && tokens[at - 1].IsSymbol(".")))
            nameStart = output.Length;
        Write(
            token.Kind switch
            {
                // DuckDB knows no backslash in a string, and no $$.
                SqlTokenKind.Text => $"'{token.Text.Replace("'", "''", StringComparison.Ordinal)}'",
                // An unquoted name is in upper case, and so are the columns of a result.
                SqlTokenKind.Word => token.Text,
                _ => sql[token.Start..token.End],
            },
            1
        );
    }

    /// <summary>A path into a VARIANT, <c>column:key</c>. The key keeps its case.</summary>
    void WritePath()
    {
        var key = tokens[at + 1];
        var text = key.Kind == SqlTokenKind.Word ? sql[key.Start..key.End] : key.Text;
        output.Insert(nameStart, '(');
        Write($"->>'{text.Replace("'", "''", StringComparison.Ordinal)}')", 2);
    }
}
