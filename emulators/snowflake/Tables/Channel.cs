using Microsoft.Data.Sqlite;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>A stored channel that has not been dropped. Times are milliseconds since 1970.</summary>
/// <param name="Id">Its number in the store.</param>
/// <param name="Pipe">Name of its pipe as declared.</param>
/// <param name="Name">Its name as first sent.</param>
/// <param name="Elastic">Whether it is its pipe's elastic channel, which has no tokens.</param>
/// <param name="Token">The continuation token that the next append must have.</param>
/// <param name="StatusCode">SUCCESS, or why it must be reopened.</param>
/// <param name="TouchedMs">When it was last opened or appended to.</param>
/// <param name="CreatedMs">When it was created.</param>
/// <param name="CommittedToken">Offset token of the last commit; null before the first.</param>
/// <param name="RowsInserted">Rows in the table.</param>
/// <param name="RowsParsed">Rows in the table, plus rejected rows.</param>
/// <param name="RowErrors">Rejected rows.</param>
/// <param name="LastErrorUpperBound">Offset token of the append with the last rejected row.</param>
/// <param name="LastErrorMessage">Why that row was rejected.</param>
/// <param name="LastErrorMs">When that append was committed.</param>
/// <param name="AverageLatencyMs">Mean time from an append to its commit (ms); null before the first.</param>
sealed record Channel(
    long Id,
    string Pipe,
    string Name,
    bool Elastic,
    ContinuationToken Token,
    string StatusCode,
    long TouchedMs,
    long CreatedMs,
    string? CommittedToken,
    long RowsInserted,
    long RowsParsed,
    long RowErrors,
    string? LastErrorUpperBound,
    string? LastErrorMessage,
    long? LastErrorMs,
    long? AverageLatencyMs
)
{
    /// <summary>The columns that <see cref="Read"/> expects.</summary>
    public const string Columns = """
        id, pipe, name, elastic, client_sequencer, next_row_sequencer, status_code, touched_ms, created_ms, committed_token,
        rows_inserted, rows_parsed, row_errors, last_error_upper_bound, last_error, last_error_ms, latency_sum_ms / NULLIF(commits, 0)
        """;

    public static Channel Read(SqliteDataReader row) =>
        new(
            row.GetInt64(0),
            row.GetString(1),
            row.GetString(2),
            row.GetBoolean(3),
            new ContinuationToken(row.GetInt32(4), row.GetInt32(5)),
            row.GetString(6),
            row.GetInt64(7),
            row.GetInt64(8),
            row.GetValue(9) as string,
            row.GetInt64(10),
            row.GetInt64(11),
            row.GetInt64(12),
            row.GetValue(13) as string,
            row.GetValue(14) as string,
            row.GetValue(15) as long?,
            row.GetValue(16) as long?
        );
}
