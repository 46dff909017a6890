namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The appends of one table's database, buffered and committed, with their bodies. Not safe for concurrent use.</summary>
sealed class AppendTable(Database database, BodyFile bodies)
{
    /// <summary>Buffers an append and advances its channel's continuation token, both or neither.</summary>
    public void Add(Channel channel, OffsetTokens tokens, RowVerdict verdict, ReadOnlyMemory<byte> body, long nowMs)
    {
        var (errors, rejections) = StoredAppend.Pack(verdict.Rejections);
        var offset = EndOfBodies();
        bodies.Write(body, offset);
        database.Together(() =>
        {
            database.Execute(
                """
                INSERT INTO appends (channel, row_sequencer, at_ms, start_token, end_token, accepted, rejected, last_error, errors,
                    rejections, encoding, body_offset, body_length, crc32c)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
                """,
                channel.Id,
                channel.Token.Row,
                nowMs,
                tokens.Start,
                tokens.End,
                verdict.Accepted,
                verdict.Rejections.Count,
                verdict.Rejections.Count > 0 ? verdict.Rejections[^1].Error : null,
                errors,
                rejections,
                (int)verdict.Encoding,
                offset,
                body.Length,
                (long)Crc32C.Of(body.Span)
            );
            database.Execute(
                "UPDATE channels SET next_row_sequencer = next_row_sequencer + 1, touched_ms = $2 WHERE id = $1",
                channel.Id,
                nowMs
            );
        });
    }

    /// <summary>
    /// The end of the last append that the database knows. Later bytes belong to an append that was never answered, or was discarded.
    /// </summary>
    long EndOfBodies() => database.Number("SELECT body_offset + body_length FROM appends ORDER BY id DESC LIMIT 1") ?? 0;

    /// <summary>Writes the rows of a file where <see cref="AddLoaded"/> will look for them, safe from a power cut.</summary>
    public void WriteBodies(LoadSpool spool)
    {
        var offset = EndOfBodies();
        foreach (var chunk in spool.Chunks)
            bodies.Write(spool.Read(chunk), offset + chunk.Offset);
        bodies.Flush();
    }

    /// <summary>
    /// Adds the rows of a file as committed appends. Nothing may be buffered, because rows are numbered in the order of ids.
    /// </summary>
    public void AddLoaded(long channel, LoadSpool spool, long nowMs)
    {
        var offset = EndOfBodies();
        var (rows, errors) = Count();
        foreach (var chunk in spool.Chunks)
        {
            database.Execute(
                """
                INSERT INTO appends (channel, row_sequencer, at_ms, accepted, rejected, errors, rejections, encoding, body_offset,
                    body_length, crc32c, first_row, first_error)
                VALUES ($1, 0, $2, $3, 0, '[]', x'', $4, $5, $6, $7, $8, $9)
                """,
                channel,
                nowMs,
                chunk.Rows,
                (int)LoadSpool.Encoding,
                offset + chunk.Offset,
                chunk.Length,
                (long)chunk.Crc32C,
                rows + 1,
                errors + 1
            );
            rows += chunk.Rows;
        }
    }

    /// <summary>When the next append to commit arrived (ms since 1970); null if nothing is buffered.</summary>
    public long? NextBufferedMs() =>
        database.Number("SELECT at_ms FROM appends INDEXED BY buffered_appends WHERE first_row IS NULL ORDER BY id LIMIT 1");

    /// <summary>Commits everything that arrived up to a time: rows and offset tokens become visible together.</summary>
    public void CommitUpTo(long arrivedMs, long nowMs)
    {
        // In order of arrival, even if the clock was set back meanwhile.
        var due = database.All(
            """
            SELECT id, channel, at_ms, end_token, accepted, rejected, last_error FROM appends INDEXED BY buffered_appends
            WHERE first_row IS NULL AND id < COALESCE(
                (SELECT id FROM appends INDEXED BY buffered_appends WHERE first_row IS NULL AND at_ms > $1 ORDER BY id LIMIT 1),
                9223372036854775807)
            ORDER BY id
            """,
            row =>
                (
                    Id: row.GetInt64(0),
                    Channel: row.GetInt64(1),
                    AtMs: row.GetInt64(2),
                    Token: row.GetValue(3) as string,
                    Accepted: row.GetInt64(4),
                    Rejected: row.GetInt64(5),
                    Error: row.GetValue(6) as string
                ),
            arrivedMs
        );
        if (due.Count == 0)
            return;
        bodies.Flush();
        database.Durably(() =>
        {
            var (rows, errors) = Count();
            foreach (var append in due)
            {
                database.Execute("UPDATE appends SET first_row = $2, first_error = $3 WHERE id = $1", append.Id, rows + 1, errors + 1);
                database.Execute(
                    """
                    UPDATE channels
                    SET rows_inserted = rows_inserted + $2, rows_parsed = rows_parsed + $2 + $3, row_errors = row_errors + $3,
                        latency_sum_ms = latency_sum_ms + $4, commits = commits + 1, committed_token = COALESCE($5, committed_token)
                    WHERE id = $1
                    """,
                    append.Channel,
                    append.Accepted,
                    append.Rejected,
                    nowMs - append.AtMs,
                    append.Token
                );
                if (append.Rejected > 0)
                {
                    database.Execute(
                        "UPDATE channels SET last_error = $2, last_error_ms = $3, last_error_upper_bound = $4 WHERE id = $1",
                        append.Channel,
                        append.Error,
                        nowMs,
                        append.Token
                    );
                }
                rows += append.Accepted;
                errors += append.Rejected;
            }
        });
    }

    /// <summary>Number of rows in the table and of rejected rows.</summary>
    public (long Rows, long Errors) Count() =>
        database
            .All(
                """
                SELECT first_row + accepted - 1, first_error + rejected - 1 FROM appends WHERE first_row IS NOT NULL ORDER BY id DESC LIMIT 1
                """,
                row => (row.GetInt64(0), row.GetInt64(1))
            )
            .FirstOrDefault();

    /// <summary>The committed appends from the one with the row after this number to the last, by their ids.</summary>
    public (long First, long Last) FromRow(long after) => Range("first_row IS NOT NULL", "first_row", after);

    /// <summary>The committed appends from the one with the rejected row after this number to the last, by their ids.</summary>
    public (long First, long Last) FromError(long after) => Range("first_row IS NOT NULL AND rejected > 0", "first_error", after);

    (long First, long Last) Range(string which, string counter, long after)
    {
        var first = database.Number(
            $"""
            SELECT id FROM appends
            WHERE {which} AND {counter} >= (SELECT MAX({counter}) FROM appends WHERE {which} AND {counter} <= $1)
            ORDER BY {counter}, id LIMIT 1
            """,
            after == long.MaxValue ? after : after + 1
        );
        var last = database.Number($"SELECT id FROM appends WHERE {which} ORDER BY {counter} DESC, id DESC LIMIT 1");
        return (first ?? long.MaxValue, last ?? 0);
    }

    /// <summary>The first committed append in a range of ids; null if there is none.</summary>
    public StoredAppend? Next(long first, long last, bool withErrors) =>
        database
            .All(
                $"""
                {StoredAppend.Select}
                WHERE a.id BETWEEN $1 AND $2 AND a.first_row IS NOT NULL AND (a.rejected > 0 OR NOT $3) ORDER BY a.id LIMIT 1
                """,
                StoredAppend.Read,
                first,
                last,
                withErrors
            )
            .FirstOrDefault();

    /// <summary>The rows of an append as sent. May be called from any thread.</summary>
    /// <exception cref="InvalidDataException">They do not match their checksum.</exception>
    public byte[] Body(StoredAppend append) => bodies.Read(append.BodyOffset, append.BodyLength, append.Crc32C);

    /// <summary>The buffered appends, oldest first, and whether their rows are undamaged.</summary>
    public List<(long Id, long Channel, int RowSequencer, bool Whole)> CheckBuffered() =>
        database.All(
            """
            SELECT id, channel, row_sequencer, body_offset, body_length, crc32c
            FROM appends INDEXED BY buffered_appends WHERE first_row IS NULL ORDER BY id
            """,
            row => (row.GetInt64(0), row.GetInt64(1), row.GetInt32(2), IsWhole(row.GetInt64(3), row.GetInt32(4), (uint)row.GetInt64(5)))
        );

    bool IsWhole(long offset, int length, uint crc32C)
    {
        try
        {
            bodies.Read(offset, length, crc32C);
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    /// <summary>Discards the buffered appends of a channel, starting with one of them.</summary>
    public void Discard(long channel, long fromAppend = 0) =>
        database.Execute(
            "DELETE FROM appends INDEXED BY buffered_appends WHERE first_row IS NULL AND channel = $1 AND id >= $2",
            channel,
            fromAppend
        );
}
