using System.Globalization;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// Reads the tokens of one statement after another. What it expects and does not find is an error with file and line. Not safe for
/// concurrent use.
/// </summary>
/// <param name="catalog">What has been declared so far; it decides which schemas there are.</param>
/// <param name="file">The file, for errors.</param>
/// <param name="sql">Its text.</param>
sealed class SqlCursor(Catalog catalog, string file, string sql)
{
    List<SqlToken> tokens = [];
    int at;

    /// <summary>The database that USE or CREATE chose last; null if none has.</summary>
    public string? Database { get; set; }

    /// <summary>The schema that USE or CREATE chose last; null if none has.</summary>
    public string? Schema { get; set; }

    /// <summary>Begins a statement.</summary>
    public void Begin(List<SqlToken> statement)
    {
        tokens = statement;
        at = 0;
    }

    /// <summary>A token as it was written.</summary>
    public string Spelling(SqlToken token) => sql[token.Start..token.End];

    public SqlToken Current =>
        at < tokens.Count ? tokens[at] : new SqlToken(SqlTokenKind.End, "end of statement", tokens[^1].Line, tokens[^1].End, tokens[^1].End);

    public bool AtEnd => at >= tokens.Count;

    public SqlToken Next()
    {
        var token = Current;
        at++;
        return token;
    }

    public bool TryWord(string word)
    {
        if (Current.Kind != SqlTokenKind.Word || Current.Text != word)
            return false;
        at++;
        return true;
    }

    public void Word(string word)
    {
        if (!TryWord(word))
            throw Unexpected(word);
    }

    public bool TrySymbol(string symbol)
    {
        if (Current.Kind != SqlTokenKind.Symbol || Current.Text != symbol)
            return false;
        at++;
        return true;
    }

    public void Symbol(string symbol)
    {
        if (!TrySymbol(symbol))
            throw Unexpected($"'{symbol}'");
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
        Word("NOT");
        Word("EXISTS");
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
            throw Problem(line, $"schema {inDatabase}.{inSchema} does not exist here; CREATE SCHEMA it in an earlier file");
        return (inDatabase, inSchema, parts[^1]);
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
            : throw Problem(value.Line, $"'{value.Text}' is no value for an option");
    }

    public void Options(params ReadOnlySpan<string> names)
    {
        while (TryOption(names))
        {
        }
    }

    public void SkipParentheses()
    {
        Symbol("(");
        for (var depth = 1; depth > 0;)
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
