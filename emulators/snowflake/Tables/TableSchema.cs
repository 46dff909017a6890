namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>How a table's appends and channels are stored in its SQLite database.</summary>
/// <remarks>
/// The rows of an append stay as they came over the wire, compressed, in the <see cref="BodyFile"/>: the pipe's mapping is applied when
/// somebody reads. So an append costs little. A column added to the SQL also shows values for older rows with its key, where Snowflake
/// would have NULL.
/// </remarks>
static class TableSchema
{
    public const string Sql = """
        -- Changes with every reset: it tells a copy of the rows that the rows are new.
        CREATE TABLE IF NOT EXISTS store (identity TEXT NOT NULL) STRICT;

        -- A dropped channel stays, because its rows name it and because a name's client sequencer never starts again.
        CREATE TABLE IF NOT EXISTS channels (
            id                     INTEGER PRIMARY KEY,
            pipe                   TEXT NOT NULL,
            name                   TEXT NOT NULL,
            upper_name             TEXT NOT NULL,
            elastic                INTEGER NOT NULL,
            dropped                INTEGER NOT NULL DEFAULT 0,
            client_sequencer       INTEGER NOT NULL,
            next_row_sequencer     INTEGER NOT NULL DEFAULT 1,
            committed_token        TEXT,
            status_code            TEXT NOT NULL,
            created_ms             INTEGER NOT NULL,
            touched_ms             INTEGER NOT NULL,
            rows_inserted          INTEGER NOT NULL DEFAULT 0,
            rows_parsed            INTEGER NOT NULL DEFAULT 0,
            row_errors             INTEGER NOT NULL DEFAULT 0,
            last_error             TEXT,
            last_error_ms          INTEGER,
            last_error_upper_bound TEXT,
            latency_sum_ms         INTEGER NOT NULL DEFAULT 0,
            commits                INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE INDEX IF NOT EXISTS channels_by_name ON channels (pipe, upper_name);

        -- In the order of their arrival. Without first_row an append is buffered; with it, it is in the table. first_error counts
        -- the rejected rows in the same way, from 1. rejections: pairs of little-endian 32-bit numbers, the line (from 0) and its
        -- error's place in the JSON array errors. body_offset: where the rows are in the body file.
        CREATE TABLE IF NOT EXISTS appends (
            id             INTEGER PRIMARY KEY,
            channel        INTEGER NOT NULL REFERENCES channels,
            row_sequencer  INTEGER NOT NULL,
            at_ms          INTEGER NOT NULL,
            start_token    TEXT,
            end_token      TEXT,
            accepted       INTEGER NOT NULL,
            rejected       INTEGER NOT NULL,
            last_error     TEXT,
            errors         TEXT NOT NULL,
            rejections     BLOB NOT NULL,
            encoding       INTEGER NOT NULL,
            body_offset    INTEGER NOT NULL,
            body_length    INTEGER NOT NULL,
            crc32c         INTEGER NOT NULL,
            first_row      INTEGER,
            first_error    INTEGER
        ) STRICT;
        CREATE INDEX IF NOT EXISTS buffered_appends ON appends (id) WHERE first_row IS NULL;
        CREATE INDEX IF NOT EXISTS appends_by_row ON appends (first_row) WHERE first_row IS NOT NULL;
        CREATE INDEX IF NOT EXISTS appends_by_error ON appends (first_error) WHERE first_row IS NOT NULL AND rejected > 0;

        -- Which files a pipe has loaded, or could not load: entries of 14 days. content_key: NULL if the file was not found.
        CREATE TABLE IF NOT EXISTS loads (
            id                    INTEGER PRIMARY KEY AUTOINCREMENT,
            pipe                  TEXT NOT NULL,
            path                  TEXT NOT NULL,
            stage_location        TEXT NOT NULL,
            status                INTEGER NOT NULL,
            received_ms           INTEGER NOT NULL,
            loaded_ms             INTEGER NOT NULL,
            size                  INTEGER NOT NULL,
            uncompressed_size     INTEGER NOT NULL,
            rows_parsed           INTEGER NOT NULL,
            rows_loaded           INTEGER NOT NULL,
            errors                INTEGER NOT NULL,
            error_limit           INTEGER NOT NULL,
            first_error           TEXT,
            first_error_line      INTEGER,
            first_error_character INTEGER,
            first_error_column    TEXT,
            content_key           TEXT
        ) STRICT;
        CREATE INDEX IF NOT EXISTS loads_by_path ON loads (pipe, path);
        CREATE INDEX IF NOT EXISTS loads_by_time ON loads (loaded_ms);

        -- Files that clients named to insertFiles. load: the entry of the history; NULL while the file has not been read.
        CREATE TABLE IF NOT EXISTS file_requests (
            id          INTEGER PRIMARY KEY AUTOINCREMENT,
            pipe        TEXT NOT NULL,
            path        TEXT NOT NULL,
            received_ms INTEGER NOT NULL,
            load        INTEGER
        ) STRICT;
        CREATE INDEX IF NOT EXISTS open_file_requests ON file_requests (pipe, id) WHERE load IS NULL;
        CREATE INDEX IF NOT EXISTS file_requests_by_load ON file_requests (load) WHERE load IS NOT NULL;
        """;
}
