using System.Globalization;
using DuckDB.NET.Data;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// The load history in DuckDB: a copy in the file of each database, and Snowflake's functions that read it, COPY_HISTORY and
/// SYSTEM$PIPE_STATUS.
/// </summary>
static class LoadsCopy
{
    const string Table = "\"$emulator\".loads";

    // The columns' names differ from the macros' parameters: a parameter hides a column of the same name.
    const string Shape = """
        id BIGINT, target VARCHAR, pipe VARCHAR, path VARCHAR, stage VARCHAR, status VARCHAR, received TIMESTAMP, loaded TIMESTAMP,
        bytes BIGINT, uncompressed BIGINT, parsed BIGINT, inserted BIGINT, errors BIGINT, error_most BIGINT, message VARCHAR,
        message_line BIGINT, message_character BIGINT, message_column VARCHAR
        """;

    /// <summary>Creates the copy in the current database, if it does not exist.</summary>
    public static void Create(DuckDBConnection duck) => duck.Run($"CREATE TABLE IF NOT EXISTS {Table} ({Shape})");

    /// <summary>Empties the copy of a table's history, because the table was reset.</summary>
    public static void Forget(DuckDBConnection duck, Table table) => duck.Run($"DELETE FROM {Table} WHERE target = $1", table.FullName);

    /// <summary>Adds new entries.</summary>
    public static void BringUpToDate(DuckDBConnection duck, Table table, LoadTable loads)
    {
        var last = duck.Rows($"SELECT MAX(id) FROM {Table} WHERE target = $1", table.FullName)[0][0];
        var entries = loads.After(last is null ? 0 : Convert.ToInt64(last, CultureInfo.InvariantCulture), long.MaxValue);
        if (entries.Count == 0)
            return;
        using var appender = duck.CreateAppender("$emulator", "loads");
        foreach (var load in entries)
        {
            appender
                .CreateRow()
                .AppendValue(load.Id)
                .AppendValue(table.FullName)
                .AppendValue(load.Pipe)
                .AppendValue(load.Path)
                .AppendValue(load.StageLocation)
                .AppendValue(Words(load.Status))
                .AppendValue(Time(load.ReceivedMs))
                .AppendValue(Time(load.LoadedMs))
                .AppendValue(load.Size)
                .AppendValue(load.UncompressedSize)
                .AppendValue(load.RowsParsed)
                .AppendValue(load.RowsLoaded)
                .AppendValue(load.Errors)
                .AppendValue(load.ErrorLimit)
                .AppendValue(load.FirstError?.Message)
                .AppendValue(load.FirstError?.Line)
                .AppendValue(load.FirstError?.Character)
                .AppendValue(load.FirstError?.Column)
                .EndRow();
        }
    }

    /// <summary>Declares the functions for this session.</summary>
    /// <param name="duck">A connection with every database attached.</param>
    /// <param name="catalog">The declared tables and pipes.</param>
    /// <param name="pipesRun">Whether classic Snowpipe is on.</param>
    public static void CreateFunctions(DuckDBConnection duck, Catalog catalog, bool pipesRun)
    {
        var all = string.Join(" UNION ALL ", catalog.Databases.Select(d => $"SELECT * FROM {QueryCopy.Name(d)}.{Table}"));
        duck.Run(
            $"""
            CREATE TEMP MACRO COPY_HISTORY(TABLE_NAME := NULL, START_TIME := NULL, END_TIME := NULL) AS TABLE
            SELECT path AS FILE_NAME, stage AS STAGE_LOCATION, loaded AS LAST_LOAD_TIME, inserted AS ROW_COUNT, parsed AS ROW_PARSED,
                bytes AS FILE_SIZE, message AS FIRST_ERROR_MESSAGE, message_line AS FIRST_ERROR_LINE_NUMBER,
                message_character AS FIRST_ERROR_CHARACTER_POS, message_column AS FIRST_ERROR_COLUMN_NAME, errors AS ERROR_COUNT,
                error_most AS ERROR_LIMIT, status AS STATUS, target.split_part('.', 1) AS TABLE_CATALOG_NAME,
                target.split_part('.', 2) AS TABLE_SCHEMA_NAME, target.split_part('.', 3) AS TABLE_NAME,
                pipe.split_part('.', 1) AS PIPE_CATALOG_NAME, pipe.split_part('.', 2) AS PIPE_SCHEMA_NAME,
                pipe.split_part('.', 3) AS PIPE_NAME, received AS PIPE_RECEIVED_TIME, uncompressed AS BYTES_BILLED
            FROM ({all})
            WHERE loaded >= START_TIME AND loaded <= COALESCE(END_TIME, loaded)
                AND ends_with('.' || upper(target), '.' || upper(TABLE_NAME))
            """
        );
        var pipes = string.Join(", ", catalog.LoadPipes.Select(pipe => QueryCopy.Literal(pipe.FullName.ToUpperInvariant())));
        var state = pipesRun ? "RUNNING" : "PAUSED";
        duck.Run(
            $$"""
            CREATE TEMP MACRO SYSTEM$PIPE_STATUS(pipe_name) AS CASE
                WHEN upper(pipe_name) NOT IN ('', {{(pipes.Length > 0 ? pipes : "''")}}) THEN
                    error('Pipe ' || pipe_name || ' is not a pipe that loads files, or its name lacks database and schema')
                ELSE (
                    SELECT json_object('executionState', '{{state}}',
                        'lastIngestedTimestamp', strftime(MAX(loaded), '%Y-%m-%dT%H:%M:%S.%gZ'),
                        'lastIngestedFilePath', arg_max(path, id))::VARCHAR
                    FROM ({{all}}) WHERE upper(pipe) = upper(pipe_name) AND inserted > 0)
                END
            """
        );
    }

    static DateTime Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).UtcDateTime;

    /// <summary>The status in COPY_HISTORY's words.</summary>
    static string Words(LoadStatus status) =>
        status switch
        {
            LoadStatus.Loaded => "Loaded",
            LoadStatus.PartiallyLoaded => "Partially loaded",
            _ => "Load failed",
        };
}
