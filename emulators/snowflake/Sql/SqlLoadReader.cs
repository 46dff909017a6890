using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Reads the COPY of a pipe that loads files.</summary>
sealed class SqlLoadReader(Catalog catalog, SqlCursor sql)
{
    // A pattern comes from the user and is tried on every file's name.
    static readonly TimeSpan PatternLimit = TimeSpan.FromSeconds(1);

    /// <summary>Reads the rest of the statement after the word FROM.</summary>
    /// <param name="name">Name of the pipe.</param>
    /// <param name="table">The table that it fills.</param>
    /// <param name="targets">The columns of the COPY by position; null: those of the table.</param>
    /// <param name="autoIngest">Whether the pipe loads announced files.</param>
    public LoadPipe Read((string Database, string Schema, string Name) name, Table table, List<int>? targets, bool autoIngest)
    {
        var line = sql.Current.Line;
        List<LoadSource> sources;
        (ExternalStage Stage, string Path) from;
        if (sql.TrySymbol("("))
        {
            sources = ReadSelect(table, targets);
            from = ReadStage();
            sql.Symbol(")");
        }
        else
        {
            from = ReadStage();
            var column = targets is [var only] ? only : 0;
            if ((targets?.Count ?? table.Columns.Count) != 1)
                throw sql.Problem(line, $"a file of JSON has one column, $1; select what the columns of {table.Name} get from it");
            sources = [SourceOf(table, column, (LoadField.Record, null, new SqlType(SqlKind.Variant)), line)];
        }
        var format = from.Stage.Format;
        var onError = ErrorPolicy.SkipFile;
        Regex? pattern = null;
        while (!sql.AtEnd)
        {
            if (sql.TryWord("FILE_FORMAT"))
            {
                format = new SqlStageReader(catalog, sql).ReadFormat();
            }
            else if (sql.TryWord("ON_ERROR"))
            {
                sql.Symbol("=");
                onError = ReadOnError();
            }
            else if (sql.TryWord("PATTERN"))
            {
                sql.Symbol("=");
                pattern = ReadPattern();
            }
            else
            {
                throw sql.Unexpected("FILE_FORMAT, ON_ERROR or PATTERN");
            }
        }
        return new LoadPipe(name.Database, name.Schema, name.Name, table, from.Stage)
        {
            AutoIngest = autoIngest,
            Path = from.Path,
            Sources = sources,
            Format =
                format ?? throw sql.Problem(line, $"neither the COPY nor stage {from.Stage.Name} has a FILE_FORMAT; only JSON is emulated"),
            OnError = onError,
            Pattern = pattern,
        };
    }

    List<LoadSource> ReadSelect(Table table, List<int>? targets)
    {
        sql.Word("SELECT");
        List<LoadSource> sources = [];
        do
        {
            var line = sql.Current.Line;
            var expression = ReadExpression();
            if (sql.TryWord("AS") || sql.Current is { Kind: SqlTokenKind.Word or SqlTokenKind.Quoted, Text: not "FROM" })
                sql.Name();
            var column =
                targets is null ? sources.Count
                : sources.Count < targets.Count ? targets[sources.Count]
                : -1;
            if (column < 0 || column >= table.Columns.Count)
                throw sql.Problem(line, "the SELECT has more expressions than there are columns to fill");
            sources.Add(SourceOf(table, column, expression, line));
        } while (sql.TrySymbol(","));
        if (targets is not null && targets.Count != sources.Count)
            throw sql.Problem(sql.Current.Line, $"{targets.Count} columns are listed and {sources.Count} are selected");
        sql.Word("FROM");
        return sources;
    }

    LoadSource SourceOf(Table table, int column, (LoadField Field, string? Key, SqlType Type) expression, int line) =>
        expression.Type.TryStoreIn(table.Columns[column].Type, out var type)
            ? new LoadSource(column, expression.Field, expression.Key, type)
            : throw sql.Problem(
                line,
                $"a value of type {expression.Type} goes into column {table.Columns[column].Name} of type {table.Columns[column].Type}; "
                    + "cast it to the column's own type"
            );

    /// <summary>
    /// <c>$1</c>, <c>$1:key</c> or <c>METADATA$…</c>, each with an optional <c>::TYPE</c>; TO_TIMESTAMP_NTZ or CONVERT_TIMEZONE to UTC
    /// around one.
    /// </summary>
    (LoadField Field, string? Key, SqlType Type) ReadExpression()
    {
        var token = sql.Next();
        var (field, key, type) = token switch
        {
            { Kind: SqlTokenKind.Column, Text: "$1" } => (LoadField.Record, sql.VariantKey(), new SqlType(SqlKind.Variant)),
            { Kind: SqlTokenKind.Word, Text: "METADATA$FILENAME" } => (LoadField.FileName, null, Varchar),
            { Kind: SqlTokenKind.Word, Text: "METADATA$FILE_ROW_NUMBER" } => (LoadField.RowNumber, null, SqlType.Number(38, 0)),
            { Kind: SqlTokenKind.Word, Text: "METADATA$FILE_CONTENT_KEY" } => (LoadField.ContentKey, null, Varchar),
            { Kind: SqlTokenKind.Word, Text: "METADATA$FILE_LAST_MODIFIED" } => (LoadField.LastModified, null, Time(SqlKind.TimestampNtz)),
            { Kind: SqlTokenKind.Word, Text: "METADATA$START_SCAN_TIME" } => (LoadField.StartScanTime, null, Time(SqlKind.TimestampLtz)),
            { Kind: SqlTokenKind.Word, Text: "TO_TIMESTAMP_NTZ" } => ReadCall(SqlKind.TimestampNtz),
            { Kind: SqlTokenKind.Word, Text: "CONVERT_TIMEZONE" } => ReadConversion(),
            _ => throw sql.Problem(token.Line, $"expected $1, $1:key, METADATA$… or CONVERT_TIMEZONE('UTC', …), found '{token.Text}'"),
        };
        if (!sql.TrySymbol("::"))
            return (field, key, type);
        return (field, key, SqlTypeReader.Read(sql));
    }

    static SqlType Varchar => new(SqlKind.Varchar, SqlType.MaxVarchar);

    static SqlType Time(SqlKind kind) => new(kind);

    (LoadField Field, string? Key, SqlType Type) ReadCall(SqlKind kind)
    {
        sql.Symbol("(");
        var (field, key, _) = ReadExpression();
        sql.Symbol(")");
        return (field, key, Time(kind));
    }

    /// <summary>CONVERT_TIMEZONE('UTC', …), or with 'UTC' twice. Every time here is in UTC, so no conversion is needed.</summary>
    (LoadField Field, string? Key, SqlType Type) ReadConversion()
    {
        sql.Symbol("(");
        var zones = 0;
        while (sql.Current.Kind == SqlTokenKind.Text)
        {
            var token = sql.Next();
            if (!token.Text.Equals("UTC", StringComparison.OrdinalIgnoreCase))
                throw sql.Problem(token.Line, $"CONVERT_TIMEZONE is emulated for 'UTC' alone, not for '{token.Text}'");
            sql.Symbol(",");
            zones++;
        }
        if (zones is 0 or > 2)
            throw sql.Unexpected("CONVERT_TIMEZONE('UTC', …)");
        var (field, key, _) = ReadExpression();
        sql.Symbol(")");
        // With two zones it returns local time, with one an instant.
        return (field, key, Time(zones == 2 ? SqlKind.TimestampNtz : SqlKind.TimestampTz));
    }

    (ExternalStage Stage, string Path) ReadStage()
    {
        sql.Symbol("@");
        var line = sql.Current.Line;
        var (database, schema, name) = sql.QualifiedName();
        var stage =
            catalog.Stages.Find(s => s.Database == database && s.Schema == schema && s.Name == name)
            ?? throw sql.Problem(line, $"stage {database}.{schema}.{name} does not exist");
        var path = new StringBuilder();
        // A path is not a name: its tokens count as spelled.
        while (sql.TrySymbol("/"))
        {
            while (!sql.AtEnd && !sql.Current.IsSymbol("/") && !sql.Current.IsSymbol(")") && !IsOption(sql.Current))
                path.Append(sql.Spelling(sql.Next()));
            path.Append('/');
        }
        return (stage, path.ToString().TrimEnd('/') is { Length: > 0 } text ? text + "/" : "");
    }

    static bool IsOption(SqlToken token) => token.IsWord("FILE_FORMAT") || token.IsWord("ON_ERROR") || token.IsWord("PATTERN");

    ErrorPolicy ReadOnError()
    {
        var token = sql.Next();
        var text = token.Text.ToUpperInvariant();
        if (text == "CONTINUE")
            return ErrorPolicy.Continue;
        if (text == "SKIP_FILE")
            return ErrorPolicy.SkipFile;
        var isPercent = text.EndsWith('%');
        if (
            text.StartsWith("SKIP_FILE_", StringComparison.Ordinal)
            && int.TryParse(text["SKIP_FILE_".Length..].TrimEnd('%'), NumberStyles.None, CultureInfo.InvariantCulture, out var limit)
            && limit > 0
        )
            return new ErrorPolicy(limit, isPercent);
        throw sql.Problem(token.Line, $"ON_ERROR = {text} is not for pipes; CONTINUE, SKIP_FILE, SKIP_FILE_n and 'SKIP_FILE_n%' are");
    }

    Regex ReadPattern()
    {
        var token = sql.Current;
        try
        {
            return new Regex($"^(?:{sql.Text()})$", RegexOptions.CultureInvariant, PatternLimit);
        }
        catch (ArgumentException e)
        {
            throw sql.Problem(token.Line, $"PATTERN is not a regular expression: {e.Message}");
        }
    }
}
