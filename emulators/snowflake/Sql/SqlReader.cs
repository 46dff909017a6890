namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// Reads the part of Snowflake's SQL that declares where rows go: CREATE DATABASE, SCHEMA, TABLE, FILE FORMAT, STAGE and PIPE, ALTER TABLE
/// ADD COLUMN and SET, and USE. Statements about other kinds of objects (roles, users, grants, warehouses, views, alerts…), queries and
/// DROPs are skipped by their first words. Everything else is an error: an emulator that disagrees with the SQL that a user runs would be
/// worse than no emulator.
/// </summary>
sealed class SqlReader
{
    // Stands in the files where a user writes S3_BUCKET and S3_FILE_PREFIX.
    const string Bucket = "<bucket>";
    const string UsualPrefix = "inverter-data/";

    static readonly HashSet<string> SkippedVerbs =
    [
        "GRANT",
        "REVOKE",
        "SHOW",
        "DESC",
        "DESCRIBE",
        "SELECT",
        "WITH",
        "SET",
        "UNSET",
        "CALL",
        "EXECUTE",
        "COMMENT",
        "DROP",
        "LIST",
        "BEGIN",
        "COMMIT",
        "DECLARE",
        "EXPLAIN",
    ];

    // Objects that do not affect which row goes where.
    static readonly HashSet<string> SkippedObjects =
    [
        "ROLE",
        "USER",
        "WAREHOUSE",
        "VIEW",
        "MATERIALIZED",
        "SECURE",
        "RECURSIVE",
        "ALERT",
        "TASK",
        "NETWORK",
        "AUTHENTICATION",
        "PASSWORD",
        "SESSION",
        "RESOURCE",
        "NOTIFICATION",
        "EVENT",
        "TAG",
        "FUNCTION",
        "PROCEDURE",
        "STREAM",
        "DYNAMIC",
        "STORAGE",
        "INTEGRATION",
        "SECURITY",
        "API",
        "SEQUENCE",
        "MASKING",
        "ROW",
        "ACCOUNT",
        "SHARE",
        "SECRET",
        "APPLICATION",
    ];

    readonly Catalog catalog;
    readonly SqlCursor sql;

    SqlReader(Catalog catalog, SqlCursor sql)
    {
        this.catalog = catalog;
        this.sql = sql;
    }

    /// <summary>Reads every *.sql file of the given directories, in the order of the directories and of the files' names.</summary>
    /// <param name="directories">The directories, separated by commas.</param>
    /// <param name="bucket">Replaces <c>&lt;bucket&gt;</c>, which a user would edit; null leaves it unchanged.</param>
    /// <param name="prefix">Replaces <c>inverter-data/</c> after it; null leaves it unchanged.</param>
    /// <exception cref="SqlException">A statement is not understood; the message starts with <c>file:line</c>.</exception>
    public static Catalog ReadDirectory(string directories, string? bucket = null, string? prefix = null)
    {
        var catalog = new Catalog();
        foreach (var directory in Split(directories))
        {
            foreach (var path in Directory.GetFiles(directory, "*.sql").Order(StringComparer.Ordinal))
            {
                var sql = File.ReadAllText(path)
                    .Replace(
                        $"{Bucket}/{UsualPrefix}",
                        $"{Bucket}/{prefix?.Replace("'", "''", StringComparison.Ordinal) ?? UsualPrefix}",
                        StringComparison.Ordinal
                    )
                    .Replace(Bucket, bucket ?? Bucket, StringComparison.Ordinal);
                Read(catalog, path, sql);
            }
        }
        catalog.AddDefaultPipes();
        return catalog;
    }

    /// <summary>The directories of a comma-separated list.</summary>
    public static string[] Split(string directories) =>
        directories.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>Reads one file into a catalog. Each file is a separate session: a USE ends with it.</summary>
    public static void Read(Catalog catalog, string file, string sql)
    {
        var cursor = new SqlCursor(catalog, file, sql);
        var reader = new SqlReader(catalog, cursor);
        foreach (var statement in SqlTokenizer.Statements(SqlTokenizer.Tokenize(file, sql)))
        {
            cursor.Begin(statement);
            reader.ReadStatement();
        }
    }

    void ReadStatement()
    {
        var verb = sql.Current;
        if (verb.Kind == SqlTokenKind.Word && SkippedVerbs.Contains(verb.Text))
            return;
        if (sql.TryWord("USE"))
            ReadUse();
        else if (sql.TryWord("CREATE"))
            ReadCreate();
        else if (sql.TryWord("ALTER"))
            ReadAlter();
        else
            throw sql.Unexpected("a statement");
    }

    void ReadUse()
    {
        if (sql.Current.Text is "ROLE" or "WAREHOUSE" or "SECONDARY")
            return;
        if (sql.TryWord("DATABASE"))
        {
            sql.Database = sql.Name();
            sql.Schema = "PUBLIC";
        }
        else
        {
            var isSchema = sql.TryWord("SCHEMA");
            var parts = sql.NameParts(2);
            if (parts.Count == 2)
                (sql.Database, sql.Schema) = (parts[0], parts[1]);
            else if (isSchema)
                sql.Schema = parts[0];
            else
                (sql.Database, sql.Schema) = (parts[0], "PUBLIC");
        }
        sql.End();
    }

    void ReadCreate()
    {
        var replace = false;
        if (sql.TryWord("OR"))
        {
            if (!sql.TryWord("REPLACE"))
                sql.Word("ALTER");
            replace = true;
        }
        while (sql.TryWord("TRANSIENT") || sql.TryWord("TEMPORARY") || sql.TryWord("TEMP")) { }
        if (sql.TryWord("DATABASE"))
        {
            if (sql.Current.Text == "ROLE")
                return;
            sql.IfNotExists();
            sql.Database = sql.Name();
            sql.Schema = "PUBLIC";
            catalog.Databases.Add(sql.Database);
            catalog.Schemas.Add((sql.Database, sql.Schema));
            sql.Options("COMMENT", "DATA_RETENTION_TIME_IN_DAYS", "MAX_DATA_EXTENSION_TIME_IN_DAYS", "LOG_EVENT_LEVEL");
            sql.End();
        }
        else if (sql.TryWord("SCHEMA"))
        {
            sql.IfNotExists();
            var line = sql.Current.Line;
            var parts = sql.NameParts(2);
            var owner =
                parts.Count == 2
                    ? parts[0]
                    : sql.Database
                        ?? throw sql.Problem(line, "CREATE SCHEMA needs a database: write DATABASE.SCHEMA or USE DATABASE first");
            if (!catalog.Databases.Contains(owner))
                throw sql.Problem(line, $"database {owner} does not exist here; create it in an earlier file");
            (sql.Database, sql.Schema) = (owner, parts[^1]);
            catalog.Schemas.Add((sql.Database, sql.Schema));
            if (sql.TryWord("WITH"))
                sql.Word("MANAGED");
            sql.TryWord("ACCESS");
            sql.Options("COMMENT", "DATA_RETENTION_TIME_IN_DAYS", "MAX_DATA_EXTENSION_TIME_IN_DAYS", "LOG_EVENT_LEVEL");
            sql.End();
        }
        else if (sql.TryWord("TABLE"))
        {
            new SqlTableReader(catalog, sql).Create(replace);
        }
        else if (sql.TryWord("PIPE"))
        {
            new SqlPipeReader(catalog, sql).Create(replace);
        }
        else if (sql.TryWord("STAGE"))
        {
            new SqlStageReader(catalog, sql).CreateStage(replace);
        }
        else if (sql.TryWord("FILE"))
        {
            sql.Word("FORMAT");
            new SqlStageReader(catalog, sql).CreateFileFormat(replace);
        }
        else if (!(sql.Current.Kind == SqlTokenKind.Word && SkippedObjects.Contains(sql.Current.Text)))
        {
            throw sql.Unexpected("DATABASE, SCHEMA, TABLE, FILE FORMAT, STAGE or PIPE");
        }
    }

    void ReadAlter()
    {
        if (sql.TryWord("TABLE"))
            new SqlTableReader(catalog, sql).Alter();
        else if (!(sql.Current.Text is "DATABASE" or "SCHEMA" or "PIPE" || SkippedObjects.Contains(sql.Current.Text)))
            throw sql.Unexpected("TABLE");
    }
}
