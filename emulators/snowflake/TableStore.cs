namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>What checking a body of rows found.</summary>
/// <param name="Encoding">How the body is compressed.</param>
/// <param name="UncompressedLength">Bytes before compression.</param>
/// <param name="Accepted">Rows that fit the table.</param>
/// <param name="Rejections">Rows that do not: the line, from 0, and why.</param>
sealed record RowVerdict(RowEncoding Encoding, long UncompressedLength, int Accepted, IReadOnlyList<(int Line, string Error)> Rejections)
{
    public static readonly RowVerdict Nothing = new(RowEncoding.Identity, 0, 0, []);
}

/// <summary>Offset tokens of one append; null where none was sent.</summary>
readonly record struct OffsetTokens(string? Start, string? End);

enum AppendOutcome
{
    /// <summary>The rows are buffered.</summary>
    Applied,

    /// <summary>The continuation token was used before; nothing was done and the current one is returned.</summary>
    Repeated,

    /// <summary>Another open has made the continuation token stale.</summary>
    Stale,

    /// <summary>The row sequencer is ahead of the channel's.</summary>
    AheadOfChannel,

    /// <summary>The channel has been invalidated and must be reopened.</summary>
    MustReopen,

    /// <summary>There is no such channel.</summary>
    NoChannel,
}

/// <summary>A channel as its status tells it. Times are milliseconds since 1970.</summary>
sealed record ChannelStatus(
    string Pipe, string Name, bool Elastic, string StatusCode, string? CommittedToken, long CreatedMs,
    long RowsInserted, long RowsParsed, long RowErrors, string? LastErrorUpperBound, string? LastErrorMessage, long? LastErrorMs,
    long? AverageLatencyMs, string ContinuationToken, long UncommittedRows);

/// <summary>
/// One table: its channels, its buffered rows and, by way of its <see cref="TableLog"/>, its rows. Every public method may be called
/// from any thread.
/// </summary>
sealed class TableStore : IDisposable
{
    public const string ElasticChannel = "ELASTIC";
    public const string Success = "SUCCESS";

    sealed class Channel(int id, string pipe, string name, bool elastic)
    {
        public readonly int Id = id;
        public readonly string Pipe = pipe;
        public readonly string Name = name;
        public readonly bool Elastic = elastic;
        public int ClientSequencer;
        public int NextRowSequencer = 1;
        public string? CommittedToken;
        public long CreatedMs;
        public long TouchedMs;
        public long Inserted;
        public long Parsed;
        public long Errors;
        public string? LastError;
        public long? LastErrorMs;
        public string? LastErrorUpperBound;
        public string StatusCode = Success;
        public long LatencySumMs;
        public long Commits;
        public int Buffered;
        public long BufferedRows;

        public string Token => $"{ClientSequencer}_{NextRowSequencer}";
    }

    /// <summary>An append that is not committed yet.</summary>
    sealed class Pending(LogRecord record, Channel channel, AppendMeta meta)
    {
        public readonly LogRecord Record = record;
        public readonly Channel Channel = channel;
        public readonly AppendMeta Meta = meta;
        public bool Discarded;
    }

    /// <summary>The meta of an Append record.</summary>
    sealed record AppendMeta(
        int Channel, int RowSequencer, long AtMs, OffsetTokens Tokens, RowEncoding Encoding, long UncompressedLength, int Accepted,
        string[] Errors, (int Line, int Error)[] Rejections)
    {
        public byte[] ToBytes()
        {
            var meta = new MetaWriter().Int(Channel).Int(RowSequencer).Long(AtMs).Text(Tokens.Start).Text(Tokens.End)
                .Int((int)Encoding).Long(UncompressedLength).Int(Accepted).Int(Errors.Length).Int(Rejections.Length);
            foreach (var error in Errors)
                meta.Text(error);
            foreach (var (line, error) in Rejections)
                meta.Int(line).Int(error);
            return meta.ToArray();
        }

        public static AppendMeta Read(byte[] bytes)
        {
            var meta = new MetaReader(bytes);
            var channel = meta.Int();
            var row = meta.Int();
            var at = meta.Long();
            var tokens = new OffsetTokens(meta.Text(), meta.Text());
            var encoding = (RowEncoding)meta.Int();
            var length = meta.Long();
            var accepted = meta.Int();
            var errors = new string[meta.Int()];
            var rejections = new (int, int)[meta.Int()];
            for (var i = 0; i < errors.Length; i++)
                errors[i] = meta.Text() ?? "";
            for (var i = 0; i < rejections.Length; i++)
                rejections[i] = (meta.Int(), meta.Int());
            return new AppendMeta(channel, row, at, tokens, encoding, length, accepted, errors, rejections);
        }
    }

    /// <summary>A committed append: where it is and which rows of the table it holds.</summary>
    readonly record struct Chunk(long Offset, long FirstRow, int Rows, int Errors);

    readonly Lock gate = new();
    readonly Dictionary<(string Pipe, string Name), Channel> channels = [];
    readonly Dictionary<int, (string Pipe, string Name)> channelNames = [];

    // The last client sequencer of a name outlives the channel, so that a token from before a drop stays stale.
    readonly Dictionary<(string Pipe, string Name), int> sequencers = [];
    readonly Queue<Pending> pending = new();
    readonly List<Chunk> chunks = [];
    readonly HashSet<string> streamedPipes = [];
    readonly Func<string, Pipe> pipeOf;
    readonly TimeProvider clock;
    readonly TimeSpan commitDelay;
    readonly TimeSpan expiry;
    TableLog log = null!;
    int lastChannelId;
    long rows;
    long errors;

    /// <summary>Opens the table's file, or makes it, and takes up where it stopped.</summary>
    /// <param name="table">The table.</param>
    /// <param name="path">Its file.</param>
    /// <param name="pipeOf">The pipe of a name, for mapping stored rows.</param>
    /// <param name="commitDelay">Time from an append to its commit.</param>
    /// <param name="expiry">Idle time after which a channel is deleted.</param>
    /// <param name="clock">The time.</param>
    public TableStore(Table table, string path, Func<string, Pipe> pipeOf, TimeSpan commitDelay, TimeSpan expiry, TimeProvider clock)
    {
        Table = table;
        this.pipeOf = pipeOf;
        this.commitDelay = commitDelay;
        this.expiry = expiry;
        this.clock = clock;
        Load(path);
    }

    public Table Table { get; }

    /// <summary>Bytes that were cut from the end of the file at start because a record was torn.</summary>
    public long CutBytes { get; private set; }

    long NowMs => clock.GetUtcNow().ToUnixTimeMilliseconds();

    void Load(string path)
    {
        while (true)
        {
            Forget();
            log = TableLog.Open(path, Replay, out var cut);
            CutBytes += cut;
            var torn = pending.Where(p => !p.Discarded).FirstOrDefault(p => !log.BodyIsWhole(p.Record));
            if (torn is null)
                return;
            // Nothing behind an Append with a torn body was ever fsynced: cut there and read again.
            CutBytes += log.End - torn.Record.Offset;
            log.CutAt(torn.Record.Offset);
            log.Dispose();
        }
    }

    void Forget()
    {
        channels.Clear();
        channelNames.Clear();
        sequencers.Clear();
        pending.Clear();
        chunks.Clear();
        streamedPipes.Clear();
        rows = errors = 0;
        lastChannelId = 0;
    }

    // ── What records do, live and at start alike ────────────────────────────────────────────────────────────────────────────

    void Replay(LogRecord record)
    {
        var meta = new MetaReader(record.Meta);
        switch (record.Type)
        {
            case RecordType.Open:
                ApplyOpen(record.Meta);
                break;
            case RecordType.Append:
                ApplyAppend(record, AppendMeta.Read(record.Meta));
                break;
            case RecordType.Commit:
                var at = meta.Long();
                var offsets = new HashSet<long>();
                for (var left = meta.Int(); left > 0; left--)
                    offsets.Add(meta.Long());
                while (pending.TryPeek(out var next) && (next.Discarded || offsets.Contains(next.Record.Offset)))
                    ApplyCommit(pending.Dequeue(), at);
                break;
            case RecordType.Drop:
                ApplyDrop(meta.Int());
                break;
            case RecordType.Status:
                ApplyStatus(meta.Int(), meta.Text() ?? Success);
                break;
            default:
                throw new InvalidDataException($"record type {record.Type} at byte {record.Offset} is unknown");
        }
    }

    Channel ApplyOpen(byte[] bytes)
    {
        var meta = new MetaReader(bytes);
        var id = meta.Int();
        var pipe = meta.Text()!;
        var name = meta.Text()!;
        var elastic = meta.Int() != 0;
        var sequencer = meta.Int();
        var at = meta.Long();
        var setToken = meta.Int() != 0;
        var token = meta.Text();

        var key = (pipe, name.ToUpperInvariant());
        if (!channels.TryGetValue(key, out var channel))
        {
            channels[key] = channel = new Channel(id, pipe, name, elastic) { CreatedMs = at };
            channelNames[id] = (pipe, name);
        }
        Discard(channel);
        lastChannelId = Math.Max(lastChannelId, id);
        streamedPipes.Add(pipe);
        sequencers[key] = sequencer;
        channel.ClientSequencer = sequencer;
        channel.NextRowSequencer = 1;
        channel.StatusCode = Success;
        channel.TouchedMs = at;
        if (setToken)
            channel.CommittedToken = token;
        return channel;
    }

    void ApplyAppend(LogRecord record, AppendMeta meta)
    {
        var (pipe, name) = channelNames[meta.Channel];
        var channel = channels[(pipe, name.ToUpperInvariant())];
        channel.NextRowSequencer = meta.RowSequencer + 1;
        channel.TouchedMs = meta.AtMs;
        channel.Buffered++;
        channel.BufferedRows += meta.Accepted;
        pending.Enqueue(new Pending(record, channel, meta));
    }

    void ApplyCommit(Pending append, long at)
    {
        if (append.Discarded)
            return;
        var (channel, meta) = (append.Channel, append.Meta);
        channel.Buffered--;
        channel.BufferedRows -= meta.Accepted;
        channel.Inserted += meta.Accepted;
        channel.Parsed += meta.Accepted + meta.Rejections.Length;
        channel.Errors += meta.Rejections.Length;
        channel.LatencySumMs += at - meta.AtMs;
        channel.Commits++;
        if (meta.Tokens.End is { } token)
            channel.CommittedToken = token;
        if (meta.Rejections.Length > 0)
        {
            channel.LastError = meta.Errors[meta.Rejections[^1].Error];
            channel.LastErrorMs = at;
            channel.LastErrorUpperBound = meta.Tokens.End;
        }
        if (meta.Accepted > 0 || meta.Rejections.Length > 0)
            chunks.Add(new Chunk(append.Record.Offset, rows + 1, meta.Accepted, meta.Rejections.Length));
        rows += meta.Accepted;
        errors += meta.Rejections.Length;
    }

    void ApplyDrop(int id)
    {
        var (pipe, name) = channelNames[id];
        if (channels.Remove((pipe, name.ToUpperInvariant()), out var channel))
            Discard(channel);
    }

    void ApplyStatus(int id, string code)
    {
        var (pipe, name) = channelNames[id];
        if (!channels.TryGetValue((pipe, name.ToUpperInvariant()), out var channel))
            return;
        channel.StatusCode = code;
        if (code != Success)
            Discard(channel);
    }

    void Discard(Channel channel)
    {
        if (channel.Buffered == 0)
            return;
        foreach (var append in pending)
        {
            if (append.Channel == channel)
                append.Discarded = true;
        }
        channel.Buffered = 0;
        channel.BufferedRows = 0;
    }

    // ── Channels ────────────────────────────────────────────────────────────────────────────────────────────────────────────

    /// <summary>Opens or reopens a channel: older continuation tokens become stale and buffered rows are dropped.</summary>
    /// <param name="pipe">Name of the pipe as declared.</param>
    /// <param name="name">Name of the channel as sent; compared without case.</param>
    /// <param name="token">Committed offset token to set, with <paramref name="setToken"/>.</param>
    /// <param name="setToken">Whether to set it.</param>
    /// <param name="keepBuffered">Refuse while rows are buffered, in place of dropping them.</param>
    /// <param name="mostChannels">Channels a pipe may have.</param>
    /// <param name="problem">Why it was refused.</param>
    /// <returns>Null if it was refused.</returns>
    public ChannelStatus? Open(
        string pipe, string name, string? token, bool setToken, bool keepBuffered, int mostChannels, out OpenProblem problem)
    {
        lock (gate)
        {
            CommitDue();
            DropExpired();
            problem = OpenProblem.None;
            var key = (pipe, name.ToUpperInvariant());
            var existing = Find(pipe, name);
            if (keepBuffered && existing is { Buffered: > 0 })
                problem = OpenProblem.UncommittedRows;
            else if (existing is null && channels.Values.Count(c => c.Pipe == pipe && !c.Elastic) >= mostChannels)
                problem = OpenProblem.TooManyChannels;
            if (problem != OpenProblem.None)
                return null;
            return Status(OpenChannel(existing?.Id ?? lastChannelId + 1, pipe, existing?.Name ?? name, elastic: false,
                sequencers.TryGetValue(key, out var last) ? last + 1 : 0, token, setToken));
        }
    }

    Channel OpenChannel(int id, string pipe, string name, bool elastic, int sequencer, string? token, bool setToken)
    {
        var meta = new MetaWriter().Int(id).Text(pipe).Text(name).Int(elastic ? 1 : 0).Int(sequencer).Long(NowMs)
            .Int(setToken ? 1 : 0).Text(token).ToArray();
        log.Append(RecordType.Open, meta, default);
        log.Flush();
        return ApplyOpen(meta);
    }

    /// <summary>Drops a channel with its buffered rows. Committed rows stay.</summary>
    public AppendOutcome Drop(string pipe, string name, bool keepBuffered, out bool uncommitted)
    {
        lock (gate)
        {
            CommitDue();
            uncommitted = false;
            if (Find(pipe, name) is not { } channel)
                return AppendOutcome.NoChannel;
            uncommitted = keepBuffered && channel.Buffered > 0;
            if (!uncommitted)
                Drop(channel);
            return AppendOutcome.Applied;
        }
    }

    void Drop(Channel channel)
    {
        log.Append(RecordType.Drop, new MetaWriter().Int(channel.Id).ToArray(), default);
        log.Flush();
        ApplyDrop(channel.Id);
    }

    /// <summary>Gives every channel whose pipe and name match a status other than SUCCESS; its buffered rows are dropped.</summary>
    /// <returns>How many channels.</returns>
    public int Invalidate(Func<string, bool> nameMatches, string statusCode)
    {
        lock (gate)
        {
            CommitDue();
            var hit = channels.Values.Where(c => !c.Elastic && nameMatches(c.Name)).ToList();
            foreach (var channel in hit)
            {
                log.Append(RecordType.Status, new MetaWriter().Int(channel.Id).Text(statusCode).ToArray(), default);
                ApplyStatus(channel.Id, statusCode);
            }
            if (hit.Count > 0)
                log.Flush();
            return hit.Count;
        }
    }

    /// <summary>Status by exact name; null if there is no such channel.</summary>
    public ChannelStatus? StatusOf(string pipe, string name)
    {
        lock (gate)
        {
            CommitDue();
            return Find(pipe, name) is { } channel && channel.Name == name ? Status(channel) : null;
        }
    }

    /// <summary>Status of every channel of the table.</summary>
    public IReadOnlyList<ChannelStatus> Channels()
    {
        lock (gate)
        {
            CommitDue();
            DropExpired();
            return [.. channels.Values.OrderBy(c => c.Id).Select(Status)];
        }
    }

    Channel? Find(string pipe, string name)
    {
        if (!channels.TryGetValue((pipe, name.ToUpperInvariant()), out var channel))
            return null;
        if (!HasExpired(channel))
            return channel;
        Drop(channel);
        return null;
    }

    bool HasExpired(Channel channel) => !channel.Elastic && NowMs - channel.TouchedMs >= expiry.TotalMilliseconds;

    void DropExpired()
    {
        foreach (var channel in channels.Values.Where(HasExpired).ToList())
            Drop(channel);
    }

    static ChannelStatus Status(Channel c) => new(
        c.Pipe, c.Name, c.Elastic, c.StatusCode, c.CommittedToken, c.CreatedMs, c.Inserted, c.Parsed, c.Errors, c.LastErrorUpperBound,
        c.LastError, c.LastErrorMs, c.Commits == 0 ? null : c.LatencySumMs / c.Commits, c.Token, c.BufferedRows);

    /// <summary>Somebody has streamed through this pipe before.</summary>
    public bool WasStreamed(string pipe)
    {
        lock (gate)
            return streamedPipes.Contains(pipe);
    }

    // ── Rows ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

    /// <summary>What an append with this token would do, without doing it.</summary>
    public AppendOutcome Check(string pipe, string name, int clientSequencer, int rowSequencer, out string next)
    {
        lock (gate)
            return Check(Find(pipe, name), clientSequencer, rowSequencer, out next);
    }

    static AppendOutcome Check(Channel? channel, int clientSequencer, int rowSequencer, out string next)
    {
        next = channel?.Token ?? "";
        return channel is null or { Elastic: true } ? AppendOutcome.NoChannel
            : channel.ClientSequencer != clientSequencer ? AppendOutcome.Stale
            : channel.StatusCode != Success ? AppendOutcome.MustReopen
            : rowSequencer < channel.NextRowSequencer ? AppendOutcome.Repeated
            : rowSequencer > channel.NextRowSequencer ? AppendOutcome.AheadOfChannel
            : AppendOutcome.Applied;
    }

    /// <summary>Appends rows if the continuation token is the channel's current one.</summary>
    /// <param name="pipe">Name of the pipe as declared.</param>
    /// <param name="name">Name of the channel.</param>
    /// <param name="clientSequencer">First half of the continuation token.</param>
    /// <param name="rowSequencer">Second half.</param>
    /// <param name="tokens">Offset tokens of the rows.</param>
    /// <param name="verdict">Which rows fit.</param>
    /// <param name="body">The rows as sent.</param>
    /// <param name="next">The continuation token that is current afterwards.</param>
    public AppendOutcome Append(
        string pipe, string name, int clientSequencer, int rowSequencer, OffsetTokens tokens, RowVerdict verdict,
        ReadOnlyMemory<byte> body, out string next)
    {
        lock (gate)
        {
            var channel = Find(pipe, name);
            var outcome = Check(channel, clientSequencer, rowSequencer, out next);
            if (outcome != AppendOutcome.Applied)
                return outcome;
            Append(channel!, rowSequencer, tokens, verdict, body);
            next = channel!.Token;
            return outcome;
        }
    }

    /// <summary>Makes sure that the pipe's elastic channel exists, and with it the pipe if it is a table's default one.</summary>
    public void EnsureElastic(string pipe)
    {
        lock (gate)
            ElasticOf(pipe);
    }

    Channel ElasticOf(string pipe) =>
        Find(pipe, ElasticChannel) ?? OpenChannel(lastChannelId + 1, pipe, ElasticChannel, elastic: true, 0, null, false);

    /// <summary>Appends rows to the pipe's elastic channel.</summary>
    /// <returns>The continuation token that is current afterwards; nobody has to send it back.</returns>
    public string AppendElastic(string pipe, RowVerdict verdict, ReadOnlyMemory<byte> body)
    {
        lock (gate)
        {
            var channel = ElasticOf(pipe);
            Append(channel, channel.NextRowSequencer, default, verdict, body);
            return channel.Token;
        }
    }

    void Append(Channel channel, int rowSequencer, OffsetTokens tokens, RowVerdict verdict, ReadOnlyMemory<byte> body)
    {
        var distinct = verdict.Rejections.Select(r => r.Error).Distinct().ToArray();
        var meta = new AppendMeta(channel.Id, rowSequencer, NowMs, tokens, verdict.Encoding, verdict.UncompressedLength,
            verdict.Accepted, distinct, [.. verdict.Rejections.Select(r => (r.Line, Array.IndexOf(distinct, r.Error)))]);
        ApplyAppend(log.Append(RecordType.Append, meta.ToBytes(), body), meta);
        if (commitDelay == TimeSpan.Zero)
            CommitDue();
    }

    /// <summary>Commits what is due.</summary>
    /// <returns>When the next commit is due (ms since 1970), or null if nothing is buffered.</returns>
    public long? Commit()
    {
        lock (gate)
        {
            CommitDue();
            return pending.TryPeek(out var next) ? Due(next) : null;
        }
    }

    long Due(Pending append) => append.Meta.AtMs + (long)commitDelay.TotalMilliseconds;

    void CommitDue()
    {
        var now = NowMs;
        while (pending.TryPeek(out var next) && next.Discarded)
            pending.Dequeue();
        if (!pending.TryPeek(out var first) || Due(first) > now)
            return;

        // Appends are in the order of their time, and so are their commits.
        List<Pending> due = [.. pending.TakeWhile(p => p.Discarded || Due(p) <= now)];
        var meta = new MetaWriter().Long(now).Int(due.Count(p => !p.Discarded));
        foreach (var append in due.Where(p => !p.Discarded))
            meta.Long(append.Record.Offset);
        log.Append(RecordType.Commit, meta.ToArray(), default);
        log.Flush();
        foreach (var append in due)
        {
            pending.Dequeue();
            ApplyCommit(append, now);
        }
    }

    /// <summary>Rows in the table and rows that were rejected.</summary>
    public (long Rows, long Errors) Count()
    {
        lock (gate)
        {
            CommitDue();
            return (rows, errors);
        }
    }

    /// <summary>Hands over rows in the order they were committed.</summary>
    /// <param name="after">Row number, from 1, of the row before the first wanted.</param>
    /// <param name="limit">Most rows.</param>
    /// <param name="handler">Receives the pipe a row came through and the row as sent.</param>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public void ReadRows(long after, long limit, Action<Pipe, ReadOnlySpan<byte>> handler)
    {
        var (count, at) = Position(after);
        for (; at < count && limit > 0; at++)
        {
            Chunk chunk;
            lock (gate)
                chunk = chunks[at];
            var record = log.Read(chunk.Offset);
            var meta = AppendMeta.Read(record.Meta);
            var rejected = meta.Rejections.Select(r => r.Line).ToHashSet();
            var pipe = PipeOf(meta.Channel).Pipe;
            var skip = Math.Max(0, after - (chunk.FirstRow - 1));
            RowBody.ForEachLine(log.ReadBody(record), meta.Encoding, (index, line) =>
            {
                if (rejected.Contains(index))
                    return true;
                if (skip-- > 0)
                    return true;
                handler(pipe, line);
                return --limit > 0;
            });
        }
    }

    /// <summary>Hands over rejected rows in the order they were committed.</summary>
    /// <param name="after">How many to leave out.</param>
    /// <param name="limit">Most rows.</param>
    /// <param name="handler">Receives pipe, channel, tokens, time of the append, error, and the row as sent.</param>
    public void ReadErrors(long after, long limit, RejectionHandler handler)
    {
        var (count, _) = Position(0);
        for (var at = 0; at < count && limit > 0; at++)
        {
            Chunk chunk;
            lock (gate)
                chunk = chunks[at];
            if (chunk.Errors == 0)
                continue;
            if (after >= chunk.Errors)
            {
                after -= chunk.Errors;
                continue;
            }
            var record = log.Read(chunk.Offset);
            var meta = AppendMeta.Read(record.Meta);
            var rejected = meta.Rejections.ToDictionary(r => r.Line, r => meta.Errors[r.Error]);
            var (pipe, channel) = PipeOf(meta.Channel);
            RowBody.ForEachLine(log.ReadBody(record), meta.Encoding, (index, line) =>
            {
                if (!rejected.TryGetValue(index, out var error) || after-- > 0)
                    return true;
                handler(pipe, channel, meta.Tokens, meta.AtMs, error, line);
                return --limit > 0;
            });
            after = 0;
        }
    }

    (int Count, int First) Position(long after)
    {
        lock (gate)
        {
            CommitDue();
            int low = 0, high = chunks.Count;
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (chunks[middle].FirstRow + chunks[middle].Rows - 1 <= after)
                    low = middle + 1;
                else
                    high = middle;
            }
            return (chunks.Count, low);
        }
    }

    (Pipe Pipe, string Channel) PipeOf(int channel)
    {
        lock (gate)
            return (pipeOf(channelNames[channel].Pipe), channelNames[channel].Name);
    }

    /// <summary>Removes every row, channel and token.</summary>
    public void Reset()
    {
        lock (gate)
        {
            log.Clear();
            Forget();
        }
    }

    public void Dispose() => log.Dispose();
}

enum OpenProblem
{
    None,
    UncommittedRows,
    TooManyChannels,
}

/// <summary>Receives a rejected row.</summary>
delegate void RejectionHandler(Pipe pipe, string channel, OffsetTokens tokens, long atMs, string error, ReadOnlySpan<byte> row);
