namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Reads CREATE PIPE into a catalog.</summary>
sealed class SqlPipeReader(Catalog catalog, SqlCursor sql)
{
    /// <summary>Reads CREATE PIPE after the word PIPE.</summary>
    public void Create(bool replace)
    {
        var ifNotExists = sql.IfNotExists();
        var line = sql.Current.Line;
        var (inDatabase, inSchema, name) = sql.QualifiedName();
        if (name.EndsWith(Catalog.DefaultPipeSuffix, StringComparison.OrdinalIgnoreCase))
            throw sql.Problem(
                line,
                $"a name that ends in {Catalog.DefaultPipeSuffix} is reserved for a table's default pipe, which Snowflake creates itself"
            );
        var autoIngest = false;
        while (!sql.TryWord("AS"))
        {
            if (sql.TryWord("AUTO_INGEST"))
            {
                sql.Symbol("=");
                autoIngest = sql.Boolean();
            }
            else if (!sql.TryOption("COMMENT", "ERROR_INTEGRATION", "AWS_SNS_TOPIC"))
            {
                throw sql.Unexpected("AUTO_INGEST, ERROR_INTEGRATION, AWS_SNS_TOPIC, COMMENT or AS");
            }
        }
        sql.Words("COPY", "INTO");
        var tableLine = sql.Current.Line;
        var (tableDatabase, tableSchema, tableName) = sql.QualifiedName();
        var table =
            catalog.FindTable(tableDatabase, tableSchema, tableName)
            ?? throw sql.Problem(tableLine, $"table {tableDatabase}.{tableSchema}.{tableName} does not exist");
        var targets = ReadTargets(table);
        sql.Word("FROM");

        var exists =
            catalog.Pipes.Exists(p => p.Database == inDatabase && p.Schema == inSchema && p.Name == name)
            || catalog.LoadPipes.Exists(p => p.Database == inDatabase && p.Schema == inSchema && p.Name == name);
        if (exists && !ifNotExists && !replace)
            throw sql.Problem(line, $"pipe {name} is created twice; write CREATE PIPE IF NOT EXISTS");
        var isLoad = autoIngest || sql.HasAhead("@");
        var load = isLoad ? new SqlLoadReader(catalog, sql).Read((inDatabase, inSchema, name), table, targets, autoIngest) : null;
        var pipe = isLoad ? null : ReadStreaming(line, (inDatabase, inSchema, name), table, targets);
        if (exists && ifNotExists)
            return;
        catalog.Pipes.RemoveAll(p => p.Database == inDatabase && p.Schema == inSchema && p.Name == name);
        catalog.LoadPipes.RemoveAll(p => p.Database == inDatabase && p.Schema == inSchema && p.Name == name);
        if (load is not null)
            catalog.LoadPipes.Add(load);
        else
            catalog.Pipes.Add(pipe!);
    }

    List<int>? ReadTargets(Table table)
    {
        if (!sql.Current.IsSymbol("("))
            return null;
        List<int> targets = [];
        sql.List(() =>
        {
            var column = sql.Current;
            var index = sql.ColumnOf(table);
            if (targets.Contains(index))
                throw sql.Problem(column.Line, $"column {column.Text} is listed twice");
            targets.Add(index);
        });
        return targets;
    }

    /// <summary>Reads the rest of a streaming pipe after the word FROM.</summary>
    Pipe ReadStreaming(int line, (string Database, string Schema, string Name) name, Table table, List<int>? targets)
    {
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
            throw sql.Problem(line, "a column list cannot be combined with MATCH_BY_COLUMN_NAME");

        return new Pipe(name.Database, name.Schema, name.Name, table) { Sources = sources, IgnoreCase = ignoreCase };
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
            var column =
                targets is null ? sources.Count
                : sources.Count < targets.Count ? targets[sources.Count]
                : -1;
            if (column < 0 || column >= table.Columns.Count)
                throw sql.Problem(expression.Line, "the SELECT has more expressions than there are columns to fill");
            if (!cast.TryStoreIn(table.Columns[column].Type, out var type))
                throw sql.Problem(
                    expression.Line,
                    $"a value cast to {cast} goes into column {table.Columns[column].Name} of type "
                        + $"{table.Columns[column].Type}; cast it to the column's own type"
                );
            sources.Add(new ColumnSource(column, key, type));
        } while (sql.TrySymbol(","));
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
        var key = sql.VariantKey();
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
