using System.Globalization;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// Reads the tokens of one statement after another. A method without Try throws an error with file and line if the next tokens are not what
/// its name says. Not safe for concurrent use.
/// </summary>
/// <param name="catalog">The declarations so far; they decide which schemas exist.</param>
/// <param name="file">The file's name, for errors.</param>
/// <param name="sql">Its text.</param>
sealed class SqlCursor(Catalog catalog, string file, string sql)
{
    List<SqlToken> tokens = [];
    int at;

    /// <summary>The database that USE or CREATE chose last; null if none.</summary>
    public string? Database { get; set; }

    /// <summary>The schema that USE or CREATE chose last; null if none.</summary>
    public string? Schema { get; set; }

    /// <summary>Begins a statement.</summary>
    public void Begin(List<SqlToken> statement)
    {
        tokens = statement;
        at = 0;
    }

    /// <summary>A token as written.</summary>
    public string Spelling(SqlToken token) => sql[token.Start..token.End];

    public SqlToken Current =>
        at < tokens.Count
            ? tokens[at]
            : new SqlToken(SqlTokenKind.End, "end of statement", tokens[^1].Line, tokens[^1].End, tokens[^1].End);

    public bool AtEnd => at >= tokens.Count;

    public SqlToken Next()
    {
        var token = Current;
        at++;
        return token;
    }

    /// <summary>Whether this symbol occurs in the rest of the statement.</summary>
    public bool HasAhead(string symbol) => tokens.FindIndex(at, token => token.IsSymbol(symbol)) >= 0;

    public bool TryWord(string word) => Take(Current.IsWord(word));

    public bool TrySymbol(string symbol) => Take(Current.IsSymbol(symbol));

    bool Take(bool matches)
    {
        if (matches)
            at++;
        return matches;
    }

    public void Word(string word)
    {
        if (!TryWord(word))
            throw Unexpected(word);
    }

    /// <summary>Words that must follow one another.</summary>
    public void Words(params ReadOnlySpan<string> words)
    {
        foreach (var word in words)
            Word(word);
    }

    public void Symbol(string symbol)
    {
        if (!TrySymbol(symbol))
            throw Unexpected($"'{symbol}'");
    }

    /// <summary>Items in parentheses, separated by commas; at least one.</summary>
    public void List(Action readItem)
    {
        Symbol("(");
        do readItem();
        while (TrySymbol(","));
        Symbol(")");
    }

    public string Text()
    {
        var token = Next();
        return token.Kind == SqlTokenKind.Text ? token.Text : throw Problem(token.Line, $"expected a string, found '{token.Text}'");
    }

    public int Integer(int least, int most)
    {
        var token = Next();
        return int.TryParse(token.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
            ? value
            : throw Problem(token.Line, $"expected a number from {least} to {most}, found '{token.Text}'");
    }

    public bool Boolean()
    {
        if (TryWord("TRUE"))
            return true;
        Word("FALSE");
        return false;
    }

    public bool IfNotExists()
    {
        if (!TryWord("IF"))
            return false;
        Words("NOT", "EXISTS");
        return true;
    }

    public string Name()
    {
        var token = Next();
        return token.Kind is SqlTokenKind.Word or SqlTokenKind.Quoted
            ? token.Text
            : throw Problem(token.Line, $"expected a name, found '{token.Text}'");
    }

    public List<string> NameParts(int most)
    {
        List<string> parts = [Name()];
        while (parts.Count < most && TrySymbol("."))
            parts.Add(Name());
        return parts;
    }

    public (string Database, string Schema, string Name) QualifiedName()
    {
        var line = Current.Line;
        var parts = NameParts(3);
        var inDatabase = parts.Count == 3 ? parts[0] : Database;
        var inSchema = parts.Count >= 2 ? parts[^2] : Schema;
        if (inDatabase is null || inSchema is null)
            throw Problem(line, $"no schema for {parts[^1]}: write DATABASE.SCHEMA.{parts[^1]} or USE SCHEMA first");
        if (!catalog.Schemas.Contains((inDatabase, inSchema)))
            throw Problem(line, $"schema {inDatabase}.{inSchema} does not exist here; create it in an earlier file");
        return (inDatabase, inSchema, parts[^1]);
    }

    /// <summary>The key of a path into a VARIANT, as in <c>$1:key</c>; null if none follows. It is case-sensitive.</summary>
    public string? VariantKey()
    {
        if (!TrySymbol(":"))
            return null;
        var token = Next();
        var key =
            token.Kind is SqlTokenKind.Word ? Spelling(token)
            : token.Kind is SqlTokenKind.Quoted ? token.Text
            : throw Problem(token.Line, $"'{token.Text}' is not a key");
        return Current.Text is "." or "[" && Current.Kind == SqlTokenKind.Symbol
            ? throw Problem(Current.Line, "a path below a key is not emulated; select the key itself")
            : key;
    }

    /// <summary>The name of a column of a table.</summary>
    /// <returns>Its position in the table.</returns>
    public int ColumnOf(Table table)
    {
        var line = Current.Line;
        var name = Name();
        return table.IndexOf(name) is >= 0 and var index ? index : throw Problem(line, $"no column {name} in {table.FullName}");
    }

    public bool TryOption(params ReadOnlySpan<string> names)
    {
        if (Current.Kind != SqlTokenKind.Word || !names.Contains(Current.Text))
            return false;
        Next();
        Symbol("=");
        var value = Next();
        return value.Kind is SqlTokenKind.Word or SqlTokenKind.Text or SqlTokenKind.Number
            ? true
            : throw Problem(value.Line, $"'{value.Text}' is not a value for an option");
    }

    public void Options(params ReadOnlySpan<string> names)
    {
        while (TryOption(names)) { }
    }

    public void SkipParentheses()
    {
        Symbol("(");
        for (var depth = 1; depth > 0; )
        {
            var token = Next();
            if (token.Kind == SqlTokenKind.End)
                throw Problem(token.Line, "')' is missing");
            if (token is { Kind: SqlTokenKind.Symbol, Text: "(" })
                depth++;
            else if (token is { Kind: SqlTokenKind.Symbol, Text: ")" })
                depth--;
        }
    }

    public void End()
    {
        if (!AtEnd)
            throw Unexpected("the end of the statement");
    }

    public SqlException Unexpected(string expected) => Problem(Current.Line, $"expected {expected}, found '{Current.Text}'");

    public SqlException Problem(int line, string problem) => new(file, line, problem);
}
