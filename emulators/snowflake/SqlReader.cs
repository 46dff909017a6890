using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>A SQL file holds something this emulator does not understand.</summary>
sealed class SqlException(string file, int line, string problem) : Exception($"{file}:{line}: {problem}");

/// <summary>
/// Reads the part of Snowflake's SQL that declares where rows go: CREATE DATABASE, SCHEMA, TABLE and PIPE, ALTER TABLE ADD
/// COLUMN and SET, and USE. Statements about other kinds of objects (roles, users, grants, warehouses, views, alerts…), queries
/// and DROPs are skipped by their first words. Everything else is an error: rather no emulator than one that disagrees with
/// the SQL a user runs.
/// </summary>
sealed class SqlReader
{
    static readonly HashSet<string> SkippedVerbs =
    [
        "GRANT", "REVOKE", "SHOW", "DESC", "DESCRIBE", "SELECT", "WITH", "SET", "UNSET", "CALL", "EXECUTE", "COMMENT", "DROP",
        "LIST", "BEGIN", "COMMIT", "DECLARE", "EXPLAIN",
    ];

    // Objects that decide nothing about which row lands where.
    static readonly HashSet<string> SkippedObjects =
    [
        "ROLE", "USER", "WAREHOUSE", "VIEW", "MATERIALIZED", "SECURE", "RECURSIVE", "ALERT", "TASK", "NETWORK", "AUTHENTICATION", "PASSWORD",
        "SESSION", "RESOURCE", "NOTIFICATION", "EVENT", "TAG", "FUNCTION", "PROCEDURE", "STREAM", "DYNAMIC", "STORAGE",
        "INTEGRATION", "SECURITY", "API", "STAGE", "FILE", "SEQUENCE", "MASKING", "ROW", "ACCOUNT", "SHARE", "SECRET", "APPLICATION",
    ];

    readonly Catalog catalog;
    readonly string file;
    List<Token> tokens = [];
    int at;
    string? database;
    string? schema;

    SqlReader(Catalog catalog, string file)
    {
        this.catalog = catalog;
        this.file = file;
    }

    /// <summary>Reads every *.sql file of a directory in the order of their names.</summary>
    /// <exception cref="SqlException">Something is not understood; the message starts with <c>file:line</c>.</exception>
    public static Catalog ReadDirectory(string directory)
    {
        var catalog = new Catalog();
        foreach (var path in Directory.GetFiles(directory, "*.sql").Order(StringComparer.Ordinal))
            Read(catalog, path, File.ReadAllText(path));
        catalog.AddDefaultPipes();
        return catalog;
    }

    /// <summary>Reads one file into a catalog. Each file is its own session: a USE ends with it.</summary>
    public static void Read(Catalog catalog, string file, string sql)
    {
        var reader = new SqlReader(catalog, file);
        foreach (var statement in Statements(Tokenize(file, sql)))
        {
            reader.tokens = statement;
            reader.at = 0;
            reader.ReadStatement();
        }
    }

    // ── Statements ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    void ReadStatement()
    {
        var verb = Current;
        if (verb.Kind == TokenKind.Word && SkippedVerbs.Contains(verb.Text))
            return;
        if (TryWord("USE"))
            ReadUse();
        else if (TryWord("CREATE"))
            ReadCreate();
        else if (TryWord("ALTER"))
            ReadAlter();
        else
            throw Unexpected("a statement");
    }

    void ReadUse()
    {
        if (Current.Text is "ROLE" or "WAREHOUSE" or "SECONDARY")
            return;
        if (TryWord("DATABASE"))
        {
            database = Name();
            schema = "PUBLIC";
        }
        else
        {
            var isSchema = TryWord("SCHEMA");
            var parts = NameParts(2);
            if (parts.Count == 2)
                (database, schema) = (parts[0], parts[1]);
            else if (isSchema)
                schema = parts[0];
            else
                (database, schema) = (parts[0], "PUBLIC");
        }
        End();
    }

    void ReadCreate()
    {
        var replace = false;
        if (TryWord("OR"))
        {
            if (!TryWord("REPLACE"))
                Word("ALTER");
            replace = true;
        }
        while (TryWord("TRANSIENT") || TryWord("TEMPORARY") || TryWord("TEMP"))
        {
        }
        if (TryWord("DATABASE"))
        {
            if (Current.Text == "ROLE")
                return;
            IfNotExists();
            database = Name();
            schema = "PUBLIC";
            catalog.Databases.Add(database);
            catalog.Schemas.Add((database, schema));
            Options("COMMENT", "DATA_RETENTION_TIME_IN_DAYS", "MAX_DATA_EXTENSION_TIME_IN_DAYS", "LOG_EVENT_LEVEL");
            End();
        }
        else if (TryWord("SCHEMA"))
        {
            IfNotExists();
            var line = Current.Line;
            var parts = NameParts(2);
            var owner = parts.Count == 2 ? parts[0] : database ?? throw Problem(line, "CREATE SCHEMA needs a database: write DATABASE.SCHEMA or USE DATABASE first");
            if (!catalog.Databases.Contains(owner))
                throw Problem(line, $"database {owner} does not exist here; CREATE DATABASE it in an earlier file");
            (database, schema) = (owner, parts[^1]);
            catalog.Schemas.Add((database, schema));
            if (TryWord("WITH"))
                Word("MANAGED");
            TryWord("ACCESS");
            Options("COMMENT", "DATA_RETENTION_TIME_IN_DAYS", "MAX_DATA_EXTENSION_TIME_IN_DAYS", "LOG_EVENT_LEVEL");
            End();
        }
        else if (TryWord("TABLE"))
        {
            ReadCreateTable(replace);
        }
        else if (TryWord("PIPE"))
        {
            ReadCreatePipe(replace);
        }
        else if (!(Current.Kind == TokenKind.Word && SkippedObjects.Contains(Current.Text)))
        {
            throw Unexpected("DATABASE, SCHEMA, TABLE or PIPE");
        }
    }

    void ReadCreateTable(bool replace)
    {
        var ifNotExists = IfNotExists();
        var line = Current.Line;
        var (inDatabase, inSchema, name) = QualifiedName();
        var table = new Table(inDatabase, inSchema, name);
        Symbol("(");
        do
        {
            if (Current.Text is "CONSTRAINT" or "PRIMARY" or "UNIQUE" or "FOREIGN" && Current.Kind == TokenKind.Word)
                ReadTableConstraint(table);
            else
                AddColumn(table);
        }
        while (TrySymbol(","));
        Symbol(")");
        ReadTableOptions(table);
        End();

        var existing = catalog.FindTable(inDatabase, inSchema, name);
        if (existing is not null && ifNotExists)
            return;
        if (existing is not null && !replace)
            throw Problem(line, $"table {table.FullName} is created twice; write CREATE TABLE IF NOT EXISTS");
        if (existing is not null)
        {
            catalog.Tables.Remove(existing);
            catalog.Pipes.RemoveAll(p => p.Table == existing);
        }
        catalog.Tables.Add(table);
    }

    void ReadTableConstraint(Table table)
    {
        if (TryWord("CONSTRAINT"))
            Name();
        var primary = TryWord("PRIMARY");
        if (primary)
            Word("KEY");
        else
            Word("UNIQUE");
        Symbol("(");
        do
        {
            var line = Current.Line;
            var name = Name();
            var column = table.IndexOf(name);
            if (column < 0)
                throw Problem(line, $"no column {name} in {table.FullName}");
            if (primary)
                table.Columns[column] = table.Columns[column] with { NotNull = true };
        }
        while (TrySymbol(","));
        Symbol(")");
    }

    void AddColumn(Table table)
    {
        var line = Current.Line;
        var column = ReadColumn();
        if (table.IndexOf(column.Name) >= 0)
            throw Problem(line, $"column {column.Name} is declared twice in {table.FullName}");
        table.Columns.Add(column);
    }

    Column ReadColumn()
    {
        var name = Name();
        var type = ReadType();
        var notNull = false;
        byte[]? defaultJson = null;
        while (true)
        {
            if (TryWord("NOT"))
            {
                Word("NULL");
                notNull = true;
            }
            else if (TryWord("PRIMARY"))
            {
                Word("KEY");
                notNull = true;
            }
            else if (TryWord("DEFAULT"))
            {
                defaultJson = ReadDefault(type);
            }
            else if (TryWord("COMMENT"))
            {
                Text();
            }
            else if (!TryWord("NULL") && !TryWord("UNIQUE"))
            {
                return new Column(name, type, notNull, defaultJson);
            }
        }
    }

    byte[]? ReadDefault(SqlType type)
    {
        var token = Current;
        string json;
        if (TryWord("NULL"))
            return null;
        if (token.Kind == TokenKind.Number || token.Text is "TRUE" or "FALSE" && token.Kind == TokenKind.Word)
            json = Next().Text.ToLowerInvariant();
        else if (TrySymbol("-"))
            json = "-" + Next().Text;
        else if (token.Kind == TokenKind.Text)
            json = $"\"{JsonEncodedText.Encode(Next().Text)}\"";
        else
            throw Problem(token.Line, $"DEFAULT {token.Text} is not understood; a number, a string, TRUE, FALSE and NULL are. "
                + "(CURRENT_TIMESTAMP as a default is evaluated once, when the COPY is compiled, so it would not be the row's time in Snowflake either.)");

        // The column's own conversion decides whether its default is one of its values.
        var utf8 = Encoding.UTF8.GetBytes(json);
        var cell = json[0] switch
        {
            '"' => new JsonCell(JsonTokenType.String, utf8.AsSpan(1, utf8.Length - 2), json.Contains('\\', StringComparison.Ordinal)),
            't' => new JsonCell(JsonTokenType.True, utf8, false),
            'f' => new JsonCell(JsonTokenType.False, utf8, false),
            _ => new JsonCell(JsonTokenType.Number, utf8, false),
        };
        return CellConverter.TryConvert(cell, type, null, out var error)
            ? utf8
            : throw Problem(token.Line, $"DEFAULT {token.Text} is no {type}: {error}");
    }

    void ReadTableOptions(Table table)
    {
        while (!AtEnd)
        {
            if (TryWord("CLUSTER"))
            {
                Word("BY");
                SkipParentheses();
            }
            else if (TryWord("ERROR_LOGGING"))
            {
                Symbol("=");
                table.ErrorLogging = Boolean();
            }
            else if (Current.Text == "ENABLE_SCHEMA_EVOLUTION")
            {
                var line = Next().Line;
                Symbol("=");
                if (Boolean())
                    throw Problem(line, "ENABLE_SCHEMA_EVOLUTION = TRUE is not emulated; declare the columns");
            }
            else if (!TryOption("COMMENT", "DATA_RETENTION_TIME_IN_DAYS", "MAX_DATA_EXTENSION_TIME_IN_DAYS", "CHANGE_TRACKING"))
            {
                throw Unexpected("a table option (CLUSTER BY, COMMENT, ERROR_LOGGING, CHANGE_TRACKING, DATA_RETENTION_TIME_IN_DAYS)");
            }
            TrySymbol(",");
        }
    }

    void ReadAlter()
    {
        if (!TryWord("TABLE"))
        {
            if (Current.Text is "DATABASE" or "SCHEMA" or "PIPE" || SkippedObjects.Contains(Current.Text))
                return;
            throw Unexpected("TABLE");
        }
        var ifExists = TryWord("IF");
        if (ifExists)
            Word("EXISTS");
        var line = Current.Line;
        var (inDatabase, inSchema, name) = QualifiedName();
        if (catalog.FindTable(inDatabase, inSchema, name) is not { } table)
        {
            if (ifExists)
                return;
            throw Problem(line, $"table {inDatabase}.{inSchema}.{name} does not exist");
        }
        if (TryWord("SET"))
        {
            ReadTableOptions(table);
        }
        else if (TryWord("ADD"))
        {
            do
            {
                TryWord("COLUMN");
                var mayExist = IfNotExists();
                line = Current.Line;
                var column = ReadColumn();
                if (table.IndexOf(column.Name) < 0)
                    table.Columns.Add(column);
                else if (!mayExist)
                    throw Problem(line, $"column {column.Name} exists already in {table.FullName}; write ADD COLUMN IF NOT EXISTS");
            }
            while (TrySymbol(","));
        }
        else if (TryWord("CLUSTER"))
        {
            Word("BY");
            SkipParentheses();
        }
        else
        {
            throw Unexpected("ADD COLUMN, SET or CLUSTER BY");
        }
        End();
    }

    void ReadCreatePipe(bool replace)
    {
        var ifNotExists = IfNotExists();
        var line = Current.Line;
        var (inDatabase, inSchema, name) = QualifiedName();
        if (name.EndsWith(Catalog.DefaultPipeSuffix, StringComparison.OrdinalIgnoreCase))
            throw Problem(line, $"a name that ends in {Catalog.DefaultPipeSuffix} is that of a table's default pipe, which Snowflake makes itself");
        Options("COMMENT");
        Word("AS");
        Word("COPY");
        Word("INTO");
        var tableLine = Current.Line;
        var (tableDatabase, tableSchema, tableName) = QualifiedName();
        var table = catalog.FindTable(tableDatabase, tableSchema, tableName)
            ?? throw Problem(tableLine, $"table {tableDatabase}.{tableSchema}.{tableName} does not exist");

        List<int>? targets = null;
        if (TrySymbol("("))
        {
            targets = [];
            do
            {
                var column = Current;
                var index = table.IndexOf(Name());
                if (index < 0)
                    throw Problem(column.Line, $"no column {column.Text} in {table.FullName}");
                if (targets.Contains(index))
                    throw Problem(column.Line, $"column {column.Text} is listed twice");
                targets.Add(index);
            }
            while (TrySymbol(","));
            Symbol(")");
        }

        Word("FROM");
        List<ColumnSource>? sources = null;
        var ignoreCase = false;
        var matches = false;
        if (TrySymbol("("))
        {
            sources = ReadSelect(table, targets);
            Symbol(")");
        }
        else
        {
            ReadDataSource();
        }
        while (!AtEnd)
        {
            if (TryWord("MATCH_BY_COLUMN_NAME"))
            {
                Symbol("=");
                matches = true;
                ignoreCase = TryWord("CASE_INSENSITIVE");
                if (!ignoreCase)
                    Word("CASE_SENSITIVE");
            }
            else if (!TryOption("CLUSTER_AT_INGEST_TIME"))
            {
                throw Unexpected("MATCH_BY_COLUMN_NAME or CLUSTER_AT_INGEST_TIME");
            }
        }
        if (matches == sources is not null)
            throw Problem(line, "a streaming pipe has either a SELECT of $1 or MATCH_BY_COLUMN_NAME");
        if (matches && targets is not null)
            throw Problem(line, "a column list does not go with MATCH_BY_COLUMN_NAME");

        var existing = catalog.Pipes.Find(p => p.Database == inDatabase && p.Schema == inSchema && p.Name == name);
        if (existing is not null && ifNotExists)
            return;
        if (existing is not null && !replace)
            throw Problem(line, $"pipe {name} is created twice; write CREATE PIPE IF NOT EXISTS");
        if (existing is not null)
            catalog.Pipes.Remove(existing);
        catalog.Pipes.Add(new Pipe(inDatabase, inSchema, name, table) { Sources = sources, IgnoreCase = ignoreCase });
    }

    List<ColumnSource> ReadSelect(Table table, List<int>? targets)
    {
        var line = Current.Line;
        Word("SELECT");
        List<ColumnSource> sources = [];
        do
        {
            var expression = Current;
            var (key, cast) = ReadExpression();
            if (TryWord("AS") || Current is { Kind: TokenKind.Word or TokenKind.Quoted, Text: not "FROM" })
                Name();
            var column = targets is null ? sources.Count : sources.Count < targets.Count ? targets[sources.Count] : -1;
            if (column < 0 || column >= table.Columns.Count)
                throw Problem(expression.Line, "the SELECT has more expressions than there are columns to fill");
            if (!cast.TryStoreIn(table.Columns[column].Type, out var type))
                throw Problem(expression.Line, $"a value cast to {cast} goes into column {table.Columns[column].Name} of type "
                    + $"{table.Columns[column].Type}; cast it to the column's own type");
            sources.Add(new ColumnSource(column, key, type));
        }
        while (TrySymbol(","));
        if (targets is not null && targets.Count != sources.Count)
            throw Problem(line, $"{targets.Count} columns are listed and {sources.Count} are selected");
        Word("FROM");
        ReadDataSource();
        return sources;
    }

    /// <summary><c>$1</c>, <c>$1:key</c>, <c>$1:"key"</c>, each with an optional <c>::TYPE</c>, or <c>TO_TIMESTAMP_NTZ(…)</c> around one.</summary>
    (string? Key, SqlType Cast) ReadExpression()
    {
        if (TryWord("TO_TIMESTAMP_NTZ"))
        {
            Symbol("(");
            var (inner, _) = ReadExpression();
            Symbol(")");
            return (inner, new SqlType(SqlKind.TimestampNtz));
        }
        if (Current is not { Kind: TokenKind.Column, Text: "$1" })
            throw Unexpected("$1, $1:key::TYPE or TO_TIMESTAMP_NTZ($1:key)");
        Next();
        string? key = null;
        if (TrySymbol(":"))
        {
            // Keys of a VARIANT keep their case, so the spelling matters and not the folded word.
            var token = Next();
            key = token.Kind is TokenKind.Word ? token.Spelling
                : token.Kind is TokenKind.Quoted ? token.Text
                : throw Problem(token.Line, $"'{token.Text}' is no key");
            if (Current.Text is "." or "[" && Current.Kind == TokenKind.Symbol)
                throw Problem(Current.Line, "a path below a key is not emulated; select the key itself");
        }
        return (key, TrySymbol("::") ? ReadType() : new SqlType(SqlKind.Variant));
    }

    void ReadDataSource()
    {
        Word("TABLE");
        Symbol("(");
        Word("DATA_SOURCE");
        Symbol("(");
        Word("TYPE");
        Symbol("=>");
        var token = Current;
        if (!Text().Equals("STREAMING", StringComparison.OrdinalIgnoreCase))
            throw Problem(token.Line, $"the data source is '{token.Text}'; only 'STREAMING' is emulated");
        Symbol(")");
        Symbol(")");
    }

    SqlType ReadType()
    {
        var token = Next();
        if (token.Kind != TokenKind.Word)
            throw Problem(token.Line, $"'{token.Text}' is no type");
        switch (token.Text)
        {
            case "NUMBER" or "DECIMAL" or "NUMERIC" or "DEC":
                int precision = 38, scale = 0;
                if (TrySymbol("("))
                {
                    precision = Integer(1, 38);
                    if (TrySymbol(","))
                        scale = Integer(0, precision);
                    Symbol(")");
                }
                return SqlType.Number(precision, scale);
            case "INT" or "INTEGER" or "BIGINT" or "SMALLINT" or "TINYINT" or "BYTEINT":
                return SqlType.Number(38, 0);
            case "FLOAT" or "FLOAT4" or "FLOAT8" or "REAL":
                return new SqlType(SqlKind.Float);
            case "DOUBLE":
                TryWord("PRECISION");
                return new SqlType(SqlKind.Float);
            case "VARCHAR" or "STRING" or "TEXT" or "CHAR" or "CHARACTER":
                var length = token.Text.StartsWith("CHAR", StringComparison.Ordinal) ? 1 : SqlType.MaxVarchar;
                if (TrySymbol("("))
                {
                    length = Integer(1, 134_217_728);
                    Symbol(")");
                }
                return new SqlType(SqlKind.Varchar, length);
            case "BOOLEAN":
                return new SqlType(SqlKind.Boolean);
            case "DATE":
                return new SqlType(SqlKind.Date);
            case "TIME":
                return WithFraction(SqlKind.Time);
            case "TIMESTAMP" or "DATETIME" or "TIMESTAMP_NTZ" or "TIMESTAMPNTZ":
                return WithFraction(SqlKind.TimestampNtz);
            case "TIMESTAMP_LTZ" or "TIMESTAMPLTZ":
                return WithFraction(SqlKind.TimestampLtz);
            case "TIMESTAMP_TZ" or "TIMESTAMPTZ":
                return WithFraction(SqlKind.TimestampTz);
            case "VARIANT":
                return new SqlType(SqlKind.Variant);
            case "OBJECT":
                return new SqlType(SqlKind.Object);
            case "ARRAY":
                return new SqlType(SqlKind.Array);
            default:
                throw Problem(token.Line, $"type {token.Text} is not emulated");
        }
    }

    SqlType WithFraction(SqlKind kind)
    {
        if (TrySymbol("("))
        {
            Integer(0, 9);
            Symbol(")");
        }
        return new SqlType(kind);
    }

    // ── Words ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

    Token Current => at < tokens.Count ? tokens[at] : new Token(TokenKind.End, "end of statement", "", tokens[^1].Line);

    bool AtEnd => at >= tokens.Count;

    Token Next()
    {
        var token = Current;
        at++;
        return token;
    }

    bool TryWord(string word)
    {
        if (Current.Kind != TokenKind.Word || Current.Text != word)
            return false;
        at++;
        return true;
    }

    void Word(string word)
    {
        if (!TryWord(word))
            throw Unexpected(word);
    }

    bool TrySymbol(string symbol)
    {
        if (Current.Kind != TokenKind.Symbol || Current.Text != symbol)
            return false;
        at++;
        return true;
    }

    void Symbol(string symbol)
    {
        if (!TrySymbol(symbol))
            throw Unexpected($"'{symbol}'");
    }

    string Text()
    {
        var token = Next();
        return token.Kind == TokenKind.Text ? token.Text : throw Problem(token.Line, $"expected a string, found '{token.Text}'");
    }

    int Integer(int least, int most)
    {
        var token = Next();
        return int.TryParse(token.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
            ? value
            : throw Problem(token.Line, $"expected a number from {least} to {most}, found '{token.Text}'");
    }

    bool Boolean()
    {
        if (TryWord("TRUE"))
            return true;
        Word("FALSE");
        return false;
    }

    bool IfNotExists()
    {
        if (!TryWord("IF"))
            return false;
        Word("NOT");
        Word("EXISTS");
        return true;
    }

    string Name()
    {
        var token = Next();
        return token.Kind is TokenKind.Word or TokenKind.Quoted
            ? token.Text
            : throw Problem(token.Line, $"expected a name, found '{token.Text}'");
    }

    List<string> NameParts(int most)
    {
        List<string> parts = [Name()];
        while (parts.Count < most && TrySymbol("."))
            parts.Add(Name());
        return parts;
    }

    (string Database, string Schema, string Name) QualifiedName()
    {
        var line = Current.Line;
        var parts = NameParts(3);
        var inDatabase = parts.Count == 3 ? parts[0] : database;
        var inSchema = parts.Count >= 2 ? parts[^2] : schema;
        if (inDatabase is null || inSchema is null)
            throw Problem(line, $"no schema for {parts[^1]}: write DATABASE.SCHEMA.{parts[^1]} or USE SCHEMA first");
        if (!catalog.Schemas.Contains((inDatabase, inSchema)))
            throw Problem(line, $"schema {inDatabase}.{inSchema} does not exist here; CREATE SCHEMA it in an earlier file");
        return (inDatabase, inSchema, parts[^1]);
    }

    bool TryOption(params ReadOnlySpan<string> names)
    {
        if (Current.Kind != TokenKind.Word || !names.Contains(Current.Text))
            return false;
        Next();
        Symbol("=");
        var value = Next();
        return value.Kind is TokenKind.Word or TokenKind.Text or TokenKind.Number
            ? true
            : throw Problem(value.Line, $"'{value.Text}' is no value for an option");
    }

    void Options(params ReadOnlySpan<string> names)
    {
        while (TryOption(names))
        {
        }
    }

    void SkipParentheses()
    {
        Symbol("(");
        for (var depth = 1; depth > 0;)
        {
            var token = Next();
            if (token.Kind == TokenKind.End)
                throw Problem(token.Line, "')' is missing");
            if (token is { Kind: TokenKind.Symbol, Text: "(" })
                depth++;
            else if (token is { Kind: TokenKind.Symbol, Text: ")" })
                depth--;
        }
    }

    void End()
    {
        if (!AtEnd)
            throw Unexpected("the end of the statement");
    }

    SqlException Unexpected(string expected) => Problem(Current.Line, $"expected {expected}, found '{Current.Text}'");

    SqlException Problem(int line, string problem) => new(file, line, problem);

    // ── Characters ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    enum TokenKind { Word, Quoted, Text, Number, Column, Symbol, End }

    /// <param name="Kind">What it is.</param>
    /// <param name="Text">A word in upper case, a string without its quotes.</param>
    /// <param name="Spelling">A word as it was written.</param>
    /// <param name="Line">Line in the file, from 1.</param>
    readonly record struct Token(TokenKind Kind, string Text, string Spelling, int Line);

    /// <summary>Splits at semicolons, except within BEGIN … END and CASE … END.</summary>
    static IEnumerable<List<Token>> Statements(List<Token> all)
    {
        List<Token> statement = [];
        var depth = 0;
        for (var i = 0; i < all.Count; i++)
        {
            var token = all[i];
            if (token.Kind == TokenKind.Word)
            {
                var next = i + 1 < all.Count ? all[i + 1].Text : ";";
                if (token.Text is "CASE" || (token.Text == "BEGIN" && next is not (";" or "TRANSACTION" or "WORK" or "NAME")))
                    depth++;
                else if (token.Text == "END" && next is not ("IF" or "LOOP" or "FOR" or "WHILE" or "REPEAT"))
                    depth = Math.Max(0, depth - 1);
            }
            if (depth > 0 || token is not { Kind: TokenKind.Symbol, Text: ";" })
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

    static List<Token> Tokenize(string file, string sql)
    {
        List<Token> tokens = [];
        int i = 0, line = 1;
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
                tokens.Add(new Token(TokenKind.Text, Until("$$", i + 2, "a $$ string"), "", line));
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
                        text.Append(sql[i] switch { 'n' => '\n', 't' => '\t', 'r' => '\r', '0' => '\0', var other => other });
                        continue;
                    }
                    text.Append(sql[i]);
                }
                i++;
                tokens.Add(new Token(c == '"' ? TokenKind.Quoted : TokenKind.Text, text.ToString(), "", line));
            }
            else if (char.IsLetter(c) || c == '_')
            {
                while (i < sql.Length && (char.IsLetterOrDigit(sql[i]) || sql[i] is '_' or '$'))
                    i++;
                var word = sql[start..i];
                tokens.Add(new Token(TokenKind.Word, word.ToUpperInvariant(), word, line));
            }
            else if (char.IsAsciiDigit(c))
            {
                while (i < sql.Length && (char.IsAsciiLetterOrDigit(sql[i]) || sql[i] == '.'))
                    i++;
                tokens.Add(new Token(TokenKind.Number, sql[start..i], "", line));
            }
            else if (c == '$' && i + 1 < sql.Length && char.IsLetterOrDigit(sql[i + 1]))
            {
                i++;
                while (i < sql.Length && (char.IsLetterOrDigit(sql[i]) || sql[i] == '_'))
                    i++;
                tokens.Add(new Token(TokenKind.Column, sql[start..i], "", line));
            }
            else
            {
                i += sql.AsSpan(i) is ['=', '>', ..] or [':', ':', ..] ? 2 : 1;
                tokens.Add(new Token(TokenKind.Symbol, sql[start..i], "", line));
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
