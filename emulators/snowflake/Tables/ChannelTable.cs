namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The channels of one table's database. Not safe for concurrent use.</summary>
/// <param name="database">The database.</param>
/// <param name="appends">The appends in it.</param>
/// <param name="expiry">Idle time after which a channel is dropped.</param>
/// <param name="clock">The time.</param>
sealed class ChannelTable(Database database, AppendTable appends, TimeSpan expiry, TimeProvider clock)
{
    long NowMs => clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Every channel that has not been dropped, oldest first.</summary>
    public List<Channel> All() => database.All($"SELECT {Channel.Columns} FROM channels WHERE NOT dropped ORDER BY id", Channel.Read);

    /// <summary>The channel with this name in any case; null if there is none or it has expired.</summary>
    public Channel? Find(string pipe, string name)
    {
        var channel = database
            .All(
                $"SELECT {Channel.Columns} FROM channels WHERE pipe = $1 AND upper_name = $2 AND NOT dropped",
                Channel.Read,
                pipe,
                name.ToUpperInvariant()
            )
            .FirstOrDefault();
        if (channel is null || !HasExpired(channel))
            return channel;
        Drop(channel);
        return null;
    }

    /// <summary>Number of named channels of a pipe.</summary>
    public long CountOf(string pipe) =>
        database.Number("SELECT COUNT(*) FROM channels WHERE pipe = $1 AND NOT dropped AND NOT elastic", pipe) ?? 0;

    /// <summary>Whether the pipe ever had a channel, dropped or not.</summary>
    public bool WasStreamed(string pipe) => database.Number("SELECT 1 FROM channels WHERE pipe = $1 LIMIT 1", pipe) is not null;

    /// <summary>
    /// Adds a channel. Its client sequencer starts after the last one of its name, so that tokens from before a drop stay stale.
    /// </summary>
    public void Add(string pipe, string name, bool elastic, string? token) =>
        database.Durably(() =>
            database.Execute(
                """
                INSERT INTO channels (pipe, name, upper_name, elastic, client_sequencer, committed_token, status_code, created_ms, touched_ms)
                SELECT $1, $2, $3, $4, COALESCE(MAX(client_sequencer) + 1, 0), $5, $6, $7, $7 FROM channels WHERE pipe = $1 AND upper_name = $3
                """,
                pipe,
                name,
                name.ToUpperInvariant(),
                elastic,
                token,
                TableStore.Success,
                NowMs
            )
        );

    /// <summary>
    /// The channel for rows that a pipe loads from files. It is dropped from the start: rows need a channel that names their pipe, but no
    /// client may see it or append to it.
    /// </summary>
    /// <returns>Its number.</returns>
    public long LoadingOf(string pipe)
    {
        database.Execute(
            """
            INSERT INTO channels (pipe, name, upper_name, elastic, dropped, client_sequencer, status_code, created_ms, touched_ms)
            SELECT $1, '', '', 0, 1, 0, $2, $3, $3 WHERE NOT EXISTS (SELECT 1 FROM channels WHERE pipe = $1 AND upper_name = '')
            """,
            pipe,
            TableStore.Success,
            NowMs
        );
        return database.Number("SELECT id FROM channels WHERE pipe = $1 AND upper_name = ''", pipe)!.Value;
    }

    /// <summary>Reopens a channel: its continuation token becomes stale and its buffered rows are discarded.</summary>
    public void Reopen(Channel channel, string? token) =>
        database.Durably(() =>
        {
            appends.Discard(channel.Id);
            database.Execute(
                """
                UPDATE channels
                SET client_sequencer = client_sequencer + 1, next_row_sequencer = 1, status_code = $2, touched_ms = $3,
                    committed_token = COALESCE($4, committed_token)
                WHERE id = $1
                """,
                channel.Id,
                TableStore.Success,
                NowMs,
                token
            );
        });

    /// <summary>Drops a channel and its buffered rows.</summary>
    public void Drop(Channel channel) =>
        database.Durably(() =>
        {
            appends.Discard(channel.Id);
            database.Execute("UPDATE channels SET dropped = 1 WHERE id = $1", channel.Id);
        });

    /// <summary>Drops channels that have been idle for too long.</summary>
    public void DropExpired()
    {
        foreach (var channel in All().Where(HasExpired))
            Drop(channel);
    }

    bool HasExpired(Channel channel) => !channel.Elastic && NowMs - channel.TouchedMs >= expiry.TotalMilliseconds;

    /// <summary>Gives channels another status and discards their buffered rows.</summary>
    public void SetStatus(IReadOnlyList<Channel> channels, string code) =>
        database.Durably(() =>
        {
            foreach (var channel in channels)
            {
                appends.Discard(channel.Id);
                database.Execute("UPDATE channels SET status_code = $2 WHERE id = $1", channel.Id, code);
            }
        });

    public bool HasBuffered(Channel channel) =>
        database.Number("SELECT 1 FROM appends INDEXED BY buffered_appends WHERE first_row IS NULL AND channel = $1 LIMIT 1", channel.Id)
            is not null;

    /// <summary>
    /// Discards each buffered append whose rows do not match their checksum, and all later ones of its channel. The client is told that the
    /// channel is behind, reopens it and repeats the rows.
    /// </summary>
    /// <returns>The number of discarded appends.</returns>
    public int DiscardDamaged()
    {
        var buffered = appends.CheckBuffered();
        var count = 0;
        foreach (var first in buffered.Where(append => !append.Whole).DistinctBy(append => append.Channel))
        {
            count += buffered.Count(append => append.Channel == first.Channel && append.Id >= first.Id);
            database.Durably(() =>
            {
                appends.Discard(first.Channel, first.Id);
                database.Execute("UPDATE channels SET next_row_sequencer = $2 WHERE id = $1", first.Channel, first.RowSequencer);
            });
        }
        return count;
    }

    /// <summary>Buffered rows of a channel that are not rejected.</summary>
    public long Uncommitted(Channel channel) =>
        database.Number(
            "SELECT COALESCE(SUM(accepted), 0) FROM appends INDEXED BY buffered_appends WHERE first_row IS NULL AND channel = $1",
            channel.Id
        ) ?? 0;
}
