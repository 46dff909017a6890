namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The channels of one table's database. Not safe for concurrent use.</summary>
/// <param name="database">The database.</param>
/// <param name="appends">The appends in it.</param>
/// <param name="expiry">Idle time after which a channel is dropped.</param>
/// <param name="clock">The time.</param>
sealed class ChannelTable(Database database, AppendTable appends, TimeSpan expiry, TimeProvider clock)
{
    long NowMs => clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Every channel that has not been dropped, the oldest first.</summary>
    public List<Channel> All() => database.All($"SELECT {Channel.Columns} FROM channels WHERE NOT dropped ORDER BY id", Channel.Read);

    /// <summary>The channel of a name, whatever its case; null if there is none or it has expired.</summary>
    public Channel? Find(string pipe, string name)
    {
        var channel = database.All($"SELECT {Channel.Columns} FROM channels WHERE pipe = $1 AND upper_name = $2 AND NOT dropped",
            Channel.Read, pipe, name.ToUpperInvariant()).FirstOrDefault();
        if (channel is null || !HasExpired(channel))
            return channel;
        Drop(channel);
        return null;
    }

    /// <summary>Named channels that a pipe has.</summary>
    public long CountOf(string pipe) =>
        database.Number("SELECT COUNT(*) FROM channels WHERE pipe = $1 AND NOT dropped AND NOT elastic", pipe) ?? 0;

    /// <summary>The pipe has had a channel, dropped or not.</summary>
    public bool WasStreamed(string pipe) => database.Number("SELECT 1 FROM channels WHERE pipe = $1 LIMIT 1", pipe) is not null;

    /// <summary>
    /// Adds a channel. Its first client sequencer is the one after the last of its name, so that tokens from before a drop stay stale.
    /// </summary>
    public void Add(string pipe, string name, bool elastic, string? token) => database.Durably(() => database.Execute("""
        INSERT INTO channels (pipe, name, upper_name, elastic, client_sequencer, committed_token, status_code, created_ms, touched_ms)
        SELECT $1, $2, $3, $4, COALESCE(MAX(client_sequencer) + 1, 0), $5, $6, $7, $7 FROM channels WHERE pipe = $1 AND upper_name = $3
        """, pipe, name, name.ToUpperInvariant(), elastic, token, TableStore.Success, NowMs));

    /// <summary>Opens a channel again: its continuation token becomes stale and its buffered rows are discarded.</summary>
    public void Reopen(Channel channel, string? token, bool setToken) => database.Durably(() =>
    {
        appends.Discard(channel.Id);
        database.Execute("""
            UPDATE channels
            SET client_sequencer = client_sequencer + 1, next_row_sequencer = 1, status_code = $2, touched_ms = $3,
                committed_token = CASE WHEN $4 THEN $5 ELSE committed_token END
            WHERE id = $1
            """, channel.Id, TableStore.Success, NowMs, setToken, token);
    });

    /// <summary>Drops a channel and its buffered rows.</summary>
    public void Drop(Channel channel) => database.Durably(() =>
    {
        appends.Discard(channel.Id);
        database.Execute("UPDATE channels SET dropped = 1 WHERE id = $1", channel.Id);
    });

    /// <summary>Drops the channels that nobody has touched for too long.</summary>
    public void DropExpired()
    {
        foreach (var channel in All().Where(HasExpired))
            Drop(channel);
    }

    bool HasExpired(Channel channel) => !channel.Elastic && NowMs - channel.TouchedMs >= expiry.TotalMilliseconds;

    /// <summary>Gives channels another status and discards their buffered rows.</summary>
    public void SetStatus(IReadOnlyList<Channel> channels, string code) => database.Durably(() =>
    {
        foreach (var channel in channels)
        {
            appends.Discard(channel.Id);
            database.Execute("UPDATE channels SET status_code = $2 WHERE id = $1", channel.Id, code);
        }
    });

    public bool HasBuffered(Channel channel) =>
        database.Number(
            "SELECT 1 FROM appends INDEXED BY buffered_appends WHERE first_row IS NULL AND channel = $1 LIMIT 1", channel.Id) is not null;

    /// <summary>
    /// Discards each buffered append whose rows do not match their checksum, and what its channel sent behind it. The client is told
    /// that the channel is behind, opens it again and repeats the rows.
    /// </summary>
    /// <returns>How many appends.</returns>
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

    public ChannelStatus Status(Channel channel) => database.All("""
        SELECT committed_token, created_ms, rows_inserted, rows_parsed, row_errors, last_error_upper_bound, last_error, last_error_ms,
               latency_sum_ms / NULLIF(commits, 0),
               (SELECT COALESCE(SUM(accepted), 0) FROM appends INDEXED BY buffered_appends WHERE first_row IS NULL AND channel = $1)
        FROM channels WHERE id = $1
        """, row => new ChannelStatus(channel.Pipe, channel.Name, channel.Elastic, channel.StatusCode, row.GetValue(0) as string,
            row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.GetValue(5) as string, row.GetValue(6) as string,
            row.GetValue(7) as long?, row.GetValue(8) as long?, channel.Token, row.GetInt64(9)), channel.Id)[0];
}
