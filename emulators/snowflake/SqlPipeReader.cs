namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Reads CREATE PIPE into a catalog.</summary>
sealed class SqlPipeReader(Catalog catalog, SqlCursor sql)
{
    /// <summary>CREATE PIPE, from behind the word PIPE.</summary>
    public void Create(bool replace)
    {
        var ifNotExists = sql.IfNotExists();
        var line = sql.Current.Line;
        var (inDatabase, inSchema, name) = sql.QualifiedName();
        if (name.EndsWith(Catalog.DefaultPipeSuffix, StringComparison.OrdinalIgnoreCase))
            throw sql.Problem(line,
                $"a name that ends in {Catalog.DefaultPipeSuffix} is that of a table's default pipe, which Snowflake makes itself");
        sql.Options("COMMENT");
        sql.Word("AS");
        sql.Word("COPY");
        sql.Word("INTO");
        var tableLine = sql.Current.Line;
        var (tableDatabase, tableSchema, tableName) = sql.QualifiedName();
        var table = catalog.FindTable(tableDatabase, tableSchema, tableName)
            ?? throw sql.Problem(tableLine, $"table {tableDatabase}.{tableSchema}.{tableName} does not exist");

        List<int>? targets = null;
        if (sql.TrySymbol("("))
        {
            targets = [];
            do
            {
                var column = sql.Current;
                var index = table.IndexOf(sql.Name());
                if (index < 0)
                    throw sql.Problem(column.Line, $"no column {column.Text} in {table.FullName}");
                if (targets.Contains(index))
                    throw sql.Problem(column.Line, $"column {column.Text} is listed twice");
                targets.Add(index);
            }
            while (sql.TrySymbol(","));
            sql.Symbol(")");
        }

        sql.Word("FROM");
        List<ColumnSource>? sources = null;
        var ignoreCase = false;
        var matches = false;
        if (sql.TrySymbol("("))
        {
            sources = ReadSelect(table, targets);
            sql.Symbol(")");
        }
        else
        {
            ReadDataSource();
        }
        while (!sql.AtEnd)
        {
            if (sql.TryWord("MATCH_BY_COLUMN_NAME"))
            {
                sql.Symbol("=");
                matches = true;
                ignoreCase = sql.TryWord("CASE_INSENSITIVE");
                if (!ignoreCase)
                    sql.Word("CASE_SENSITIVE");
            }
            else if (!sql.TryOption("CLUSTER_AT_INGEST_TIME"))
            {
                throw sql.Unexpected("MATCH_BY_COLUMN_NAME or CLUSTER_AT_INGEST_TIME");
            }
        }
        if (matches == sources is not null)
            throw sql.Problem(line, "a streaming pipe has either a SELECT of $1 or MATCH_BY_COLUMN_NAME");
        if (matches && targets is not null)
            throw sql.Problem(line, "a column list does not go with MATCH_BY_COLUMN_NAME");

        var existing = catalog.Pipes.Find(p => p.Database == inDatabase && p.Schema == inSchema && p.Name == name);
        if (existing is not null && ifNotExists)
            return;
        if (existing is not null && !replace)
            throw sql.Problem(line, $"pipe {name} is created twice; write CREATE PIPE IF NOT EXISTS");
        if (existing is not null)
            catalog.Pipes.Remove(existing);
        catalog.Pipes.Add(new Pipe(inDatabase, inSchema, name, table) { Sources = sources, IgnoreCase = ignoreCase });
    }

    List<ColumnSource> ReadSelect(Table table, List<int>? targets)
    {
        var line = sql.Current.Line;
        sql.Word("SELECT");
        List<ColumnSource> sources = [];
        do
        {
            var expression = sql.Current;
            var (key, cast) = ReadExpression();
            if (sql.TryWord("AS") || sql.Current is { Kind: SqlTokenKind.Word or SqlTokenKind.Quoted, Text: not "FROM" })
                sql.Name();
            var column = targets is null ? sources.Count : sources.Count < targets.Count ? targets[sources.Count] : -1;
            if (column < 0 || column >= table.Columns.Count)
                throw sql.Problem(expression.Line, "the SELECT has more expressions than there are columns to fill");
            if (!cast.TryStoreIn(table.Columns[column].Type, out var type))
                throw sql.Problem(expression.Line, $"a value cast to {cast} goes into column {table.Columns[column].Name} of type "
                    + $"{table.Columns[column].Type}; cast it to the column's own type");
            sources.Add(new ColumnSource(column, key, type));
        }
        while (sql.TrySymbol(","));
        if (targets is not null && targets.Count != sources.Count)
            throw sql.Problem(line, $"{targets.Count} columns are listed and {sources.Count} are selected");
        sql.Word("FROM");
        ReadDataSource();
        return sources;
    }

    /// <summary>
    /// <c>$1</c>, <c>$1:key</c>, <c>$1:"key"</c>, each with an optional <c>::TYPE</c>, or <c>TO_TIMESTAMP_NTZ(…)</c> around one.
    /// </summary>
    (string? Key, SqlType Cast) ReadExpression()
    {
        if (sql.TryWord("TO_TIMESTAMP_NTZ"))
        {
            sql.Symbol("(");
            var (inner, _) = ReadExpression();
            sql.Symbol(")");
            return (inner, new SqlType(SqlKind.TimestampNtz));
        }
        if (sql.Current is not { Kind: SqlTokenKind.Column, Text: "$1" })
            throw sql.Unexpected("$1, $1:key::TYPE or TO_TIMESTAMP_NTZ($1:key)");
        sql.Next();
        string? key = null;
        if (sql.TrySymbol(":"))
        {
            // Keys of a VARIANT keep their case, so the spelling matters and not the folded word.
            var token = sql.Next();
            key = token.Kind is SqlTokenKind.Word ? sql.Spelling(token)
                : token.Kind is SqlTokenKind.Quoted ? token.Text
                : throw sql.Problem(token.Line, $"'{token.Text}' is no key");
            if (sql.Current.Text is "." or "[" && sql.Current.Kind == SqlTokenKind.Symbol)
                throw sql.Problem(sql.Current.Line, "a path below a key is not emulated; select the key itself");
        }
        return (key, sql.TrySymbol("::") ? SqlTypeReader.Read(sql) : new SqlType(SqlKind.Variant));
    }

    void ReadDataSource()
    {
        sql.Word("TABLE");
        sql.Symbol("(");
        sql.Word("DATA_SOURCE");
        sql.Symbol("(");
        sql.Word("TYPE");
        sql.Symbol("=>");
        var token = sql.Current;
        if (!sql.Text().Equals("STREAMING", StringComparison.OrdinalIgnoreCase))
            throw sql.Problem(token.Line, $"the data source is '{token.Text}'; only 'STREAMING' is emulated");
        sql.Symbol(")");
        sql.Symbol(")");
    }
}
