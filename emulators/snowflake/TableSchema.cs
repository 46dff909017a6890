namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>How a table's appends and channels lie in its SQLite database.</summary>
/// <remarks>
/// The rows of an append stay as they came over the wire, compressed, in the <see cref="BodyFile"/>: the pipe's mapping is applied when
/// somebody reads. An append therefore costs little, and a column that is added to the SQL also shows for the rows that carried its
/// key before, which is the one thing that Snowflake does otherwise.
/// </remarks>
static class TableSchema
{
    public const string Sql = """
        -- Changes with every reset, so that a copy of the rows can tell that they are others.
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
        """;
}
