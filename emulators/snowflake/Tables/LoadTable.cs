namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The load history of the pipes that fill one table, in the table's database. Not safe for concurrent use.</summary>
sealed class LoadTable(Database database)
{
    /// <summary>How long a pipe remembers what it has loaded.</summary>
    public static readonly TimeSpan Memory = TimeSpan.FromDays(14);

    /// <summary>
    /// Whether the pipe has read a file of this path within <see cref="Memory"/>, with any result. The content does not matter.
    /// </summary>
    public bool IsKnown(string pipe, string path, long nowMs) =>
        database.Number(
            "SELECT 1 FROM loads WHERE pipe = $1 AND path = $2 AND content_key IS NOT NULL AND loaded_ms > $3 LIMIT 1",
            pipe,
            path,
            nowMs - (long)Memory.TotalMilliseconds
        )
            is not null;

    /// <summary>Adds an entry, and removes entries that no pipe remembers.</summary>
    public void Add(FileLoad load)
    {
        database.Execute("DELETE FROM loads WHERE loaded_ms <= $1", load.LoadedMs - (long)Memory.TotalMilliseconds);
        database.Execute(
            """
            INSERT INTO loads (pipe, path, stage_location, status, received_ms, loaded_ms, size, uncompressed_size, rows_parsed,
                rows_loaded, errors, error_limit, first_error, first_error_line, first_error_character, first_error_column, content_key)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
            """,
            load.Pipe,
            load.Path,
            load.StageLocation,
            (int)load.Status,
            load.ReceivedMs,
            load.LoadedMs,
            load.Size,
            load.UncompressedSize,
            load.RowsParsed,
            load.RowsLoaded,
            load.Errors,
            load.ErrorLimit,
            load.FirstError?.Message,
            load.FirstError?.Line,
            load.FirstError?.Character,
            load.FirstError?.Column,
            load.ContentKey
        );
    }

    /// <summary>Entries in the order of loading.</summary>
    /// <param name="after">The id before the first requested one.</param>
    /// <param name="limit">Most entries.</param>
    public List<FileLoad> After(long after, long limit) =>
        database.All($"SELECT {FileLoad.Columns} FROM loads WHERE id > $1 ORDER BY id LIMIT $2", FileLoad.Read, after, limit);

    /// <summary>The entries of a range of time, oldest first.</summary>
    /// <param name="pipe">DATABASE.SCHEMA.NAME of the pipe.</param>
    /// <param name="startMs">The first millisecond.</param>
    /// <param name="endMs">One past the last.</param>
    /// <param name="limit">Most entries.</param>
    public List<FileLoad> Between(string pipe, long startMs, long endMs, long limit) =>
        database.All(
            $"""
            SELECT {FileLoad.Columns} FROM loads
            WHERE pipe = $1 AND loaded_ms >= $2 AND loaded_ms < $3 ORDER BY loaded_ms, id LIMIT $4
            """,
            FileLoad.Read,
            pipe,
            startMs,
            endMs,
            limit
        );

    /// <summary>Stores files named by a client, and removes those that no pipe remembers.</summary>
    public void Request(string pipe, IEnumerable<string> paths, long nowMs)
    {
        database.Execute("DELETE FROM file_requests WHERE load IS NOT NULL AND received_ms <= $1", nowMs - (long)Memory.TotalMilliseconds);
        foreach (var path in paths)
            database.Execute("INSERT INTO file_requests (pipe, path, received_ms) VALUES ($1, $2, $3)", pipe, path, nowMs);
    }

    /// <summary>Named files that have not been read, in the order in which they were named.</summary>
    public List<FileRequest> OpenRequests(string pipe) =>
        database.All(
            "SELECT id, path, received_ms FROM file_requests WHERE pipe = $1 AND load IS NULL ORDER BY id",
            row => new FileRequest(row.GetInt64(0), row.GetString(1), row.GetInt64(2)),
            pipe
        );

    /// <summary>
    /// The file has been read, for this request or earlier; in the latter case no report mentions the request. The entry's time of receipt
    /// tells which, even after a crash between the load and this call.
    /// </summary>
    public void CloseRequest(FileRequest request)
    {
        database.Execute(
            """
            UPDATE file_requests SET load = (
                SELECT max(l.id) FROM loads l
                WHERE l.pipe = file_requests.pipe AND l.path = file_requests.path AND l.received_ms = file_requests.received_ms)
            WHERE id = $1
            """,
            request.Id
        );
        database.Execute("DELETE FROM file_requests WHERE id = $1 AND load IS NULL", request.Id);
    }

    /// <summary>The newest entries of files named by clients, oldest first.</summary>
    public List<FileLoad> Requested(string pipe, long after, long sinceMs, long limit) =>
        database.All(
            $"""
            SELECT * FROM (
                SELECT {FileLoad.Columns} FROM loads
                WHERE pipe = $1 AND id > $2 AND loaded_ms >= $3 AND id IN (SELECT load FROM file_requests WHERE load IS NOT NULL)
                ORDER BY id DESC LIMIT $4)
            ORDER BY id
            """,
            FileLoad.Read,
            pipe,
            after,
            sinceMs,
            limit
        );

    /// <summary>The number of such entries.</summary>
    public long CountRequested(string pipe, long after, long sinceMs) =>
        database.Number(
            """
            SELECT count(*) FROM loads
            WHERE pipe = $1 AND id > $2 AND loaded_ms >= $3 AND id IN (SELECT load FROM file_requests WHERE load IS NOT NULL)
            """,
            pipe,
            after,
            sinceMs
        ) ?? 0;
}
