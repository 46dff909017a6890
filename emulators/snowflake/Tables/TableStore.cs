namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// One table: its channels and its rows, in a SQLite database (<see cref="TableSchema"/>) and a file of bodies
/// (<see cref="BodyFile"/>). Nothing is kept in memory, so a restart changes nothing. Every public method may be called from any
/// thread.
/// </summary>
/// <remarks>
/// An append is answered once it is written, so it survives a kill. Opening, dropping and committing are on disk before anybody sees their
/// effect. Rows and offset tokens become visible in one transaction, so they advance together, and an append is in the table once or not at
/// all.
/// </remarks>
sealed partial class TableStore : IDisposable
{
    public const string ElasticChannel = "ELASTIC";
    public const string Success = "SUCCESS";

    /// <summary>Whether the name means a pipe's elastic channel; like every channel in a URL, it is compared without case.</summary>
    public static bool IsElastic(string channel) => channel.Equals(ElasticChannel, StringComparison.OrdinalIgnoreCase);

    readonly Lock gate = new();
    readonly Database database;
    readonly BodyFile bodies;
    readonly ChannelTable channels;
    readonly AppendTable appends;
    readonly Func<string, Pipe> pipeOf;
    readonly TimeProvider clock;
    readonly TimeSpan commitDelay;

    /// <summary>Opens the table's database, or creates it.</summary>
    /// <param name="table">The table.</param>
    /// <param name="path">Its file.</param>
    /// <param name="pipeOf">Finds a pipe by name, to map stored rows.</param>
    /// <param name="commitDelay">Time from an append to its commit.</param>
    /// <param name="expiry">Idle time after which a channel is deleted.</param>
    /// <param name="clock">The time.</param>
    /// <exception cref="InvalidDataException">The file is damaged, or is not a database.</exception>
    public TableStore(Table table, string path, Func<string, Pipe> pipeOf, TimeSpan commitDelay, TimeSpan expiry, TimeProvider clock)
    {
        Table = table;
        this.pipeOf = pipeOf;
        this.commitDelay = commitDelay;
        this.clock = clock;
        database = Database.Open(path, TableSchema.Sql);
        try
        {
            database.CheckTables("channels", "appends", "loads", "file_requests");
            bodies = new BodyFile(StreamingTables.BodiesOf(path), FileAccess.ReadWrite);
            appends = new AppendTable(database, bodies);
            channels = new ChannelTable(database, appends, expiry, clock);
            loads = new LoadTable(database);
            if (database.Number("SELECT COUNT(*) FROM store") == 0)
                NewIdentity();
            DiscardedAppends = channels.DiscardDamaged();
        }
        catch
        {
            bodies?.Dispose();
            database.Dispose();
            throw;
        }
    }

    public Table Table { get; }

    /// <summary>Buffered appends that were discarded when the database was opened, because their rows were damaged.</summary>
    public int DiscardedAppends { get; }

    long NowMs => clock.GetUtcNow().ToUnixTimeMilliseconds();

    void CommitDue() => appends.CommitUpTo(NowMs - (long)commitDelay.TotalMilliseconds, NowMs);

    void NewIdentity() => database.Execute("INSERT INTO store VALUES ($1)", Guid.NewGuid().ToString("N"));

    /// <summary>Opens or reopens a channel: older continuation tokens become stale and buffered rows are dropped.</summary>
    /// <param name="pipe">Name of the pipe as declared.</param>
    /// <param name="name">Name of the channel as sent; compared without case.</param>
    /// <param name="options">Offset token to set, and whether to refuse while rows are buffered.</param>
    /// <param name="mostChannels">Channels a pipe may have.</param>
    /// <param name="problem">The reason of a refusal.</param>
    /// <returns>Null if the open was refused.</returns>
    public Channel? Open(string pipe, string name, ChannelOptions options, int mostChannels, out ChannelProblem problem)
    {
        lock (gate)
        {
            CommitDue();
            channels.DropExpired();
            var existing = channels.Find(pipe, name);
            problem =
                existing is null && channels.CountOf(pipe) >= mostChannels ? ChannelProblem.TooManyChannels
                : existing is not null && options.FailOnUncommittedRows && channels.HasBuffered(existing) ? ChannelProblem.UncommittedRows
                : ChannelProblem.None;
            if (problem != ChannelProblem.None)
                return null;
            if (existing is null)
                channels.Add(pipe, name, elastic: false, options.OffsetToken);
            else
                channels.Reopen(existing, options.OffsetToken);
            return channels.Find(pipe, name);
        }
    }

    /// <summary>Drops a channel with its buffered rows. Committed rows stay.</summary>
    /// <param name="pipe">Name of the pipe as declared.</param>
    /// <param name="name">Name of the channel; compared without case.</param>
    /// <param name="keepBuffered">Whether to refuse while rows are buffered.</param>
    public ChannelProblem Drop(string pipe, string name, bool keepBuffered)
    {
        lock (gate)
        {
            CommitDue();
            if (channels.Find(pipe, name) is not { } channel)
                return ChannelProblem.NoChannel;
            if (keepBuffered && channels.HasBuffered(channel))
                return ChannelProblem.UncommittedRows;
            channels.Drop(channel);
            return ChannelProblem.None;
        }
    }

    /// <summary>Gives every channel whose name matches a status other than SUCCESS; its buffered rows are dropped.</summary>
    /// <returns>The number of channels.</returns>
    public int Invalidate(Func<string, bool> nameMatches, string statusCode)
    {
        lock (gate)
        {
            CommitDue();
            var hit = channels.All().FindAll(channel => !channel.Elastic && nameMatches(channel.Name));
            channels.SetStatus(hit, statusCode);
            return hit.Count;
        }
    }

    /// <summary>The channel of an exact name; null if there is none.</summary>
    public Channel? StatusOf(string pipe, string name)
    {
        lock (gate)
        {
            CommitDue();
            return channels.Find(pipe, name) is { } channel && channel.Name == name ? channel : null;
        }
    }

    /// <summary>Every channel of the table, with its uncommitted rows.</summary>
    public IReadOnlyList<(Channel Channel, long UncommittedRows)> Channels()
    {
        lock (gate)
        {
            CommitDue();
            channels.DropExpired();
            return channels.All().ConvertAll(channel => (channel, channels.Uncommitted(channel)));
        }
    }

    /// <summary>Whether the pipe ever had a channel.</summary>
    public bool WasStreamed(string pipe)
    {
        lock (gate)
            return channels.WasStreamed(pipe);
    }

    /// <summary>Predicts the effect of an append, without doing it.</summary>
    /// <param name="call">Pipe, channel and continuation token.</param>
    /// <param name="next">The current continuation token.</param>
    public AppendOutcome Check(AppendCall call, out string next)
    {
        lock (gate)
        {
            var channel = channels.Find(call.Pipe.Name, call.Channel);
            next = channel?.Token.ToString() ?? "";
            return OutcomeOf(call, channel);
        }
    }

    static AppendOutcome OutcomeOf(AppendCall call, Channel? channel)
    {
        if (call.Token is not { } token)
            return AppendOutcome.Applied;
        return channel is null ? AppendOutcome.NoChannel
            : channel.Token.Client != token.Client ? AppendOutcome.Stale
            : channel.StatusCode != Success ? AppendOutcome.MustReopen
            : token.Row < channel.Token.Row ? AppendOutcome.Repeated
            : token.Row > channel.Token.Row ? AppendOutcome.AheadOfChannel
            : AppendOutcome.Applied;
    }

    /// <summary>Appends rows if the continuation token is the channel's current one.</summary>
    /// <param name="call">Pipe, channel and continuation token.</param>
    /// <param name="tokens">Offset tokens of the rows.</param>
    /// <param name="verdict">Which rows fit.</param>
    /// <param name="body">The rows as sent.</param>
    /// <param name="next">The continuation token after it.</param>
    public AppendOutcome Append(AppendCall call, OffsetTokens tokens, RowVerdict verdict, ReadOnlyMemory<byte> body, out string next)
    {
        lock (gate)
        {
            var channel = call.Token is null ? ElasticOf(call.Pipe.Name) : channels.Find(call.Pipe.Name, call.Channel);
            next = channel?.Token.ToString() ?? "";
            var outcome = OutcomeOf(call, channel);
            if (outcome != AppendOutcome.Applied)
                return outcome;
            appends.Add(channel!, tokens, verdict, body, NowMs);
            next = (channel!.Token with { Row = channel.Token.Row + 1 }).ToString();
            if (commitDelay == TimeSpan.Zero)
                CommitDue();
            return outcome;
        }
    }

    /// <summary>Creates the pipe's elastic channel if it does not exist. This also makes a table's default pipe visible.</summary>
    public void EnsureElastic(string pipe)
    {
        lock (gate)
            ElasticOf(pipe);
    }

    Channel ElasticOf(string pipe)
    {
        if (channels.Find(pipe, ElasticChannel) is { } channel)
            return channel;
        channels.Add(pipe, ElasticChannel, elastic: true, null);
        return channels.Find(pipe, ElasticChannel)!;
    }

    /// <summary>Commits everything that is due.</summary>
    /// <returns>When the next commit is due (ms since 1970), or null if nothing is buffered.</returns>
    public long? Commit()
    {
        lock (gate)
        {
            CommitDue();
            return appends.NextBufferedMs() + (long)commitDelay.TotalMilliseconds;
        }
    }

    /// <summary>Number of rows in the table and of rejected rows.</summary>
    public (long Rows, long Errors) Count()
    {
        lock (gate)
        {
            CommitDue();
            return appends.Count();
        }
    }

    /// <summary>Passes on rows in the order in which they were committed.</summary>
    /// <param name="after">Number, from 1, of the row before the first requested one.</param>
    /// <param name="limit">Most rows.</param>
    /// <param name="handler">Receives the pipe that a row came through and the row as sent.</param>
    /// <exception cref="InvalidDataException">The database is damaged.</exception>
    public void ReadRows(long after, long limit, Action<Pipe, ReadOnlySpan<byte>> handler) =>
        Read(rejected: false, after, limit, (append, _, row) => handler(pipeOf(append.Pipe), row));

    /// <summary>Passes on rejected rows in the order in which they were committed.</summary>
    /// <param name="after">How many to skip.</param>
    /// <param name="limit">Most rows.</param>
    /// <param name="handler">Receives the append, the error, and the row as sent.</param>
    /// <exception cref="InvalidDataException">The database is damaged.</exception>
    public void ReadErrors(long after, long limit, Action<StoredAppend, string, ReadOnlySpan<byte>> handler) =>
        Read(rejected: true, after, limit, (append, error, row) => handler(append, error!, row));

    void Read(bool rejected, long after, long limit, Action<StoredAppend, string?, ReadOnlySpan<byte>> handler)
    {
        foreach (var append in Committed(after, rejected))
        {
            if (limit <= 0)
                return;
            var skip = Math.Max(0, after - ((rejected ? append.FirstError : append.FirstRow) - 1));
            RowBody.ForEachLine(
                appends.Body(append),
                append.Encoding,
                (index, line) =>
                {
                    if (append.Rejections.TryGetValue(index, out var error) != rejected || skip-- > 0)
                        return true;
                    handler(append, error, line);
                    return --limit > 0;
                }
            );
        }
    }

    // One append at a time: a slow reader holds neither the lock nor the rows of a whole table.
    IEnumerable<StoredAppend> Committed(long after, bool withErrors)
    {
        long next,
            last;
        lock (gate)
        {
            CommitDue();
            (next, last) = withErrors ? appends.FromError(after) : appends.FromRow(after);
        }
        while (next <= last)
        {
            StoredAppend? append;
            lock (gate)
                append = appends.Next(next, last, withErrors);
            if (append is null)
                yield break;
            yield return append;
            next = append.Id + 1;
        }
    }

    /// <summary>Removes every row, channel and token.</summary>
    public void Reset()
    {
        lock (gate)
        {
            database.Durably(() =>
            {
                database.Execute("DELETE FROM appends");
                database.Execute("DELETE FROM channels");
                database.Execute("DELETE FROM loads");
                database.Execute("DELETE FROM file_requests");
                database.Execute("DELETE FROM store");
                NewIdentity();
            });
            bodies.Clear();
            database.Execute("VACUUM");
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            database.Dispose();
            bodies.Dispose();
        }
    }
}
