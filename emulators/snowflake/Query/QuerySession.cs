using System.Data.Common;
using DuckDB.NET.Data;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// Runs Snowflake's SQL on the copy of the tables (<see cref="QueryCopy"/>): queries, CREATE VIEW, DROP VIEW and USE. Nothing else runs. No
/// statement can change a row, or reach files or the network. Not safe for concurrent use.
/// </summary>
sealed class QuerySession : IDisposable
{
    // Snowflake's functions that DuckDB has under other names, or not at all. SYSDATE is the current time in UTC.
    const string Macros = """
        CREATE TEMP MACRO SYSDATE() AS make_timestamp(epoch_us(now()));
        CREATE TEMP MACRO EPOCH_SECOND(moment) AS CAST(floor(epoch(moment)) AS BIGINT);
        CREATE TEMP MACRO DATEADD(part, amount, moment) AS moment + CASE upper(part)
            WHEN 'MILLISECOND' THEN to_milliseconds(amount)
            WHEN 'SECOND' THEN to_seconds(amount)
            WHEN 'MINUTE' THEN to_minutes(amount)
            WHEN 'HOUR' THEN to_hours(amount)
            WHEN 'DAY' THEN to_days(CAST(amount AS INTEGER))
            WHEN 'WEEK' THEN to_weeks(CAST(amount AS INTEGER))
            WHEN 'MONTH' THEN to_months(CAST(amount AS INTEGER))
            WHEN 'YEAR' THEN to_years(CAST(amount AS INTEGER))
            ELSE error('DATEADD does not know the part ' || part) END;
        CREATE TEMP MACRO TRY_TO_DOUBLE(value) AS TRY_CAST(value AS DOUBLE);
        CREATE TEMP MACRO TRY_TO_NUMBER(value, digits, scale) AS CASE scale
            WHEN 0 THEN TRY_CAST(value AS HUGEINT)
            ELSE error('TRY_TO_NUMBER works here for scale 0 alone') END;
        CREATE TEMP MACRO TRY_TO_TIMESTAMP_TZ(value) AS TRY_CAST(value AS TIMESTAMPTZ);
        CREATE TEMP MACRO CONVERT_TIMEZONE(zone, moment) AS CASE upper(zone)
            WHEN 'UTC' THEN make_timestamp(epoch_us(moment))
            ELSE error('CONVERT_TIMEZONE works here for UTC alone, not for ' || zone) END;
        CREATE TEMP MACRO IS_NULL_VALUE(value) AS value IS NULL;
        """;

    readonly FileStream copyLock;
    readonly DuckDBConnection duck;
    readonly bool mayCreateViews;
    readonly TimeSpan limit;

    QuerySession(FileStream copyLock, DuckDBConnection duck, bool mayCreateViews, TimeSpan limit)
    {
        this.mayCreateViews = mayCreateViews;
        this.copyLock = copyLock;
        this.duck = duck;
        this.limit = limit;
    }

    /// <summary>A separate connection to an empty database in memory, with the limits of a query.</summary>
    public static DuckDBConnection Connect()
    {
        var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        connection.Run($"SET memory_limit = '{QueryLimits.MemoryMiB}MiB'");
        connection.Run("SET threads = 1");
        connection.Run("SET temp_directory = ''");
        connection.Run("SET allocator_flush_threshold = '16MiB'");
        connection.Run("SET autoinstall_known_extensions = false");
        return connection;
    }

    /// <summary>Waits for its turn, updates the copy and opens it.</summary>
    /// <param name="directory">The data directory of the emulator.</param>
    /// <param name="catalog">The declared tables.</param>
    /// <param name="mayCreateViews">Whether CREATE VIEW and DROP VIEW run.</param>
    /// <param name="limit">Longest time of one statement.</param>
    /// <param name="pipesRun">Whether classic Snowpipe is on.</param>
    /// <exception cref="QueryException">Another query has not ended in time, or a stored row no longer fits its table.</exception>
    public static async Task<QuerySession> OpenAsync(
        string directory,
        Catalog catalog,
        bool mayCreateViews,
        TimeSpan limit,
        bool pipesRun = false
    )
    {
        var copy = new QueryCopy(directory, catalog);
        var copyLock = await LockAsync(copy.LockFile);
        DuckDBConnection? duck = null;
        try
        {
            copy.BringUpToDate();
            duck = Connect();
            var access = mayCreateViews ? "" : " (READ_ONLY)";
            foreach (var database in catalog.Databases)
                duck.Run($"ATTACH {QueryCopy.Literal(copy.FileOf(database))} AS {QueryCopy.Name(database)}{access}");
            duck.Run(Macros);
            LoadsCopy.CreateFunctions(duck, catalog, pipesRun);
            // As in Snowflake: NULL is larger than every value.
            duck.Run("SET default_null_order = 'nulls_last_on_asc_first_on_desc'");
            duck.Run("SET enable_external_access = false");
            duck.Run("SET lock_configuration = true");
            var first = catalog.Tables[0];
            duck.Run($"USE {QueryCopy.Name(first.Database)}.{QueryCopy.Name(first.Schema)}");
            return new QuerySession(copyLock, duck, mayCreateViews, limit);
        }
        catch (Exception e)
        {
            duck?.Dispose();
            copyLock.Dispose();
            throw e switch
            {
                DuckDBException => new QueryException(
                    $"The copy of the tables cannot be used: {FirstLine(e.Message)}"
                        + $" Delete {Path.GetDirectoryName(copy.LockFile)} to have it made again."
                ),
                RowDoesNotFitException => new QueryException(e.Message + " POST /emulator/reset removes all rows."),
                _ => e,
            };
        }
    }

    static async Task<FileStream> LockAsync(string path)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (File.Exists(path) && TimeProvider.System.GetElapsedTime(start) < QueryLimits.Time)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
            }
            catch (IOException e) when (File.Exists(path))
            {
                throw new QueryException(
                    $"Another query has been running for {QueryLimits.Time.TotalSeconds:0} s ({e.Message}). Try again later."
                );
            }
        }
    }

    /// <summary>Runs one statement.</summary>
    /// <param name="sql">The text that contains the statement.</param>
    /// <param name="statement">Its tokens.</param>
    /// <returns>Null if it has no result.</returns>
    /// <exception cref="QueryException">It cannot be run.</exception>
    public QueryResult? Run(string sql, List<SqlToken> statement)
    {
        // The tokenizer does not split at a semicolon within BEGIN or CASE, but DuckDB would.
        if (statement.Exists(token => token.IsSymbol(";")))
            throw new QueryException("A query must not contain ';'.");
        try
        {
            switch (statement[0] is { Kind: SqlTokenKind.Word or SqlTokenKind.Symbol } first ? first.Text : "")
            {
                case "SELECT" or "WITH" or "VALUES" or "EXPLAIN" or "SHOW" or "DESCRIBE" or "(":
                    return Query(SqlTranslator.Translate(sql, statement), statement[0].Line);
                case "CREATE" or "DROP" when mayCreateViews && IsAboutView(statement):
                    duck.Run(SqlTranslator.Translate(sql, statement));
                    return null;
                case "USE":
                    Use(statement);
                    return null;
                default:
                    var views = mayCreateViews ? ", CREATE VIEW, DROP VIEW" : "";
                    throw new QueryException($"Only queries{views} and USE run here, not '{statement[0].Text}'.");
            }
        }
        catch (OperationCanceledException)
        {
            throw new QueryException($"The query took longer than {limit.TotalSeconds:0.###} s. Ask for less, for example for fewer days.");
        }
        catch (DuckDBException e)
        {
            throw new QueryException(Explain(e.Message));
        }
    }

    static bool IsAboutView(List<SqlToken> statement) =>
        statement.Count > 1
        && (statement[1].IsWord("VIEW") || (statement.Count > 3 && statement[1].IsWord("OR") && statement[3].IsWord("VIEW")));

    QueryResult Query(string sql, int line)
    {
        using var command = duck.CreateCommand();
        command.CommandText = sql;
        command.UseStreamingMode = true;
        using var timer = new Timer(_ => command.Cancel(), null, limit, Timeout.InfiniteTimeSpan);
        duck.Run("BEGIN TRANSACTION READ ONLY");
        try
        {
            using var reader = command.ExecuteReader();
            string[] columns = [.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetName)];
            List<object?[]> rows = [];
            while (reader.Read())
            {
                if (rows.Count == QueryLimits.Rows)
                    return new QueryResult(line, columns, rows, Truncated: true);
                rows.Add([.. Enumerable.Range(0, columns.Length).Select(i => ValueOf(reader, i))]);
            }
            return new QueryResult(line, columns, rows, Truncated: false);
        }
        finally
        {
            duck.Run("ROLLBACK");
        }
    }

    // Statistics of too few values, or of a constant one, are NULL in Snowflake and NaN in DuckDB.
    static object? ValueOf(DbDataReader reader, int column) =>
        reader.IsDBNull(column) || reader.GetValue(column) is double.NaN ? null : reader.GetValue(column);

    void Use(List<SqlToken> statement)
    {
        var words = statement.Skip(1).Where(token => token.Kind is SqlTokenKind.Word or SqlTokenKind.Quoted);
        string[] names = [.. words.Select(token => token.Text)];
        if (names is ["ROLE" or "WAREHOUSE" or "SECONDARY", ..])
            return;
        var database = names[0] == "DATABASE";
        if (names[0] is "DATABASE" or "SCHEMA")
            names = names[1..];
        if (database && names.Length == 1)
            names = [names[0], "PUBLIC"];
        duck.Run($"USE {string.Join('.', names.Select(QueryCopy.Name))}");
    }

    static string Explain(string message)
    {
        var said = FirstLine(message);
        if (said.Contains("Out of Memory", StringComparison.Ordinal))
            return $"The query needs more than {QueryLimits.MemoryMiB} MiB of memory. Ask for less, for example for fewer days. ({said})";
        if (said.Contains("Table with name", StringComparison.Ordinal))
            return $"{said} This project's views are created by sql/queries/01_views.sql (./up sql sql/queries/01_views.sql) and "
                + "sql/classic/02_view.sql.";
        return said;
    }

    static string FirstLine(string text) => text.Split('\n')[0].Trim();

    public void Dispose()
    {
        duck.Dispose();
        copyLock.Dispose();
    }
}
