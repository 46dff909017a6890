using System.Globalization;
using System.Net;
using ThermalStreaming.Forwarding;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>
/// Delivers one slot's journal through one channel of Snowpipe Streaming, each reading once.
/// </summary>
/// <remarks>
/// What makes it exactly once: appends carry the journal offset of their last reading as offset token; an append whose answer was lost is repeated byte for
/// byte with the same continuation token, which the server applies at most once; after anything else that leaves doubt the channel is opened again, which
/// drops what was not committed, and sending goes on behind the committed token. An append's 200 is never taken for a commit.
/// <para>
/// The channel is named <c>{SNOWFLAKE_CHANNEL}_{slot}_{first 8 digits of the journal's epoch}</c>: two installations on one pipe, or a new SD card in an old
/// Pi, never share a channel, and <c>stream_offset</c> is dense within one. <c>-2</c>, <c>-3</c>… follow when the journal lost readings that the channel had
/// already seen, so that no offset ever means two readings in one channel.
/// </para>
/// </remarks>
sealed partial class SnowpipeSink : IBatchSink
{
    static readonly TimeSpan BusyPoll = TimeSpan.FromSeconds(1);
    static readonly TimeSpan IdlePoll = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How often it is written down what the channel should count. An older note costs nothing but a wider range of offsets to look for missing rows in, and only
    /// after a kill, so the SD card is spared.
    /// </summary>
    static readonly TimeSpan BalanceNote = TimeSpan.FromHours(1);

    /// <summary>Generations in a row that the pipe may have forgotten, after which there are no later ones.</summary>
    const int MostForgottenChannels = 5;

    /// <summary>Answers in a row that make no sense after which the channel is opened again.</summary>
    const int TolerableRefusals = 5;

    /// <summary>Readings that are kept as dead letters because some of them were refused or are missing in the table. One poll sees fewer, but for a flood.</summary>
    const int MostSuspects = 10_000;

    /// <summary>A single row that compresses to more is a strange reading; where less does not pass, something on the way is set wrong, and no reading is at fault.</summary>
    const int LargestUsualRow = 64 << 10;

    readonly SnowpipeClient client;
    readonly SnowpipeOptions options;
    readonly SnowpipeStatistics statistics;
    readonly TimeProvider clock;
    readonly ILogger logger;
    readonly RateLimit requests;
    readonly RateLimit bytes;
    readonly RowWriter writer = new();
    readonly RowBalance balance;
    readonly Queue<(long End, long SentAt, int Rows)> inFlight = [];

    // Since the last open.
    SlotContext? slot;
    ChannelRecord? record;
    ChannelSession channel = new("");
    string continuationToken = "";
    bool isOpen;
    long committed;
    long attemptedEnd;
    int attemptedRows;
    long appendedEnd;
    long handledEnd;
    long progressAt;
    long reportedFrom;

    // One past the committed token: before what is committed when readings without a row follow it.
    long tokenEnd;

    // The channel that the balance is of; null before the first open.
    string? balanced;
    long notedAt;
    // No note before it is committed: it has a reading without a row.
    long rowlessEnd;

    // What the journal held when this process began, before it took in anything.
    long? initialEnd;

    // The batch in hand: made once, sent as often as it takes.
    Batch? prepared;
    (long First, long End, DateTimeOffset CreatedAt) preparedOf;
    List<RowPart> parts = [];
    int nextPart;
    Guid requestId;
    int retryCount;

    // Readings whose row alone is more than what lies between here and Snowflake lets through.
    readonly HashSet<long> tooLarge = [];

    int refusals;
    string? reopenedFor;

    public SnowpipeSink(SnowpipeClient client, SnowpipeOptions options, SnowpipeStatistics statistics, TimeProvider clock, ILogger<SnowpipeSink> logger)
    {
        this.client = client;
        this.options = options;
        this.statistics = statistics;
        this.clock = clock;
        this.logger = logger;
        requests = new RateLimit(options.RequestsPerSecond, clock);
        bytes = new RateLimit(options.BytesPerSecond, clock);
        balance = new RowBalance(clock);
        Limits = new BatchLimits(options.MaxReadings, options.MaxBytes, options.Linger);
    }

    public BatchLimits Limits { get; }

    public TimeSpan PollInterval => handledEnd > committed || balance.IsWatching ? BusyPoll : IdlePoll;

    long Outstanding => inFlight.Sum(append => (long)append.Rows) + (attemptedEnd > appendedEnd ? attemptedRows : 0);

    /// <summary>Name of the channel of a slot; see the remarks of this type.</summary>
    public static string ChannelName(string prefix, string slot, string epoch, int generation)
        => string.Create(CultureInfo.InvariantCulture, $"{prefix}_{slot}_{epoch[..Math.Min(8, epoch.Length)]}{(generation > 1 ? $"-{generation}" : "")}");

    public async Task<SinkPosition> OpenAsync(SinkStart start, CancellationToken cancellationToken)
    {
        slot = start.Slot;
        initialEnd ??= start.End;
        isOpen = false;
        prepared = null;
        refusals = 0;
        try
        {
            var (position, status) = options.Ingestion == SnowpipeIngestion.Elastic
                ? (await OpenElasticAsync(start, cancellationToken), null)
                : await OpenNamedAsync(start, cancellationToken);
            inFlight.Clear();
            committed = attemptedEnd = appendedEnd = handledEnd = reportedFrom = position;
            progressAt = clock.GetTimestamp();
            // A difference is watched from here on, and not from the first poll.
            if (status is not null)
                ReportMissing(status);
            isOpen = true;
            statistics.Opened(slot.Name, channel.Name);
            return new SinkPosition(position);
        }
        catch (SnowflakeException e)
        {
            throw Translate(e, opening: true);
        }
    }

    public async Task SendAsync(Batch batch, CancellationToken cancellationToken)
    {
        if (!isOpen)
            throw new SinkException(SinkFailure.Reopen, $"channel {channel.Name} is not open");
        Prepare(batch);
        for (; nextPart < parts.Count; nextPart++)
        {
            var part = parts[nextPart];
            await requests.TakeAsync(1, cancellationToken);
            await bytes.TakeAsync(part.UncompressedBytes, cancellationToken);
            var started = clock.GetTimestamp();
            (attemptedEnd, attemptedRows) = (part.LastOffset + 1, part.Rows);
            try
            {
                if (options.Ingestion == SnowpipeIngestion.Elastic)
                {
                    await client.AppendElasticAsync(part, requestId, retryCount++, channel, cancellationToken);
                    (requestId, retryCount) = (Guid.NewGuid(), 0);
                }
                else
                {
                    var next = await client.AppendAsync(channel, continuationToken, Token(part.FirstOffset), Token(part.LastOffset), part, cancellationToken);
                    // Each append that is applied moves the token on. This one may have been applied or not, and what follows it would be taken for its repetition.
                    if (next == continuationToken)
                        throw Reopen($"append {part.Rows} rows to channel {channel.Name}: the answer's continuation token is the one that was sent");
                    continuationToken = next;
                }
            }
            catch (SnowflakeException e)
            {
                throw Translate(e, opening: false);
            }
            if (handledEnd == committed)
                progressAt = started;
            appendedEnd = handledEnd = part.LastOffset + 1;
            inFlight.Enqueue((appendedEnd, clock.GetTimestamp(), part.Rows));
            statistics.Appended(part, clock.GetElapsedTime(started));
            refusals = 0;
            reopenedFor = null;
        }
        // Beyond appendedEnd when the batch ends in readings that no append can carry.
        handledEnd = batch.EndOffset;
        prepared = null;
    }

    public async Task<SinkCommit> PollAsync(CancellationToken cancellationToken)
    {
        if (!isOpen)
            throw new SinkException(SinkFailure.Reopen, $"channel {channel.Name} is not open");
        if (options.Ingestion == SnowpipeIngestion.Elastic)
        {
            // The elastic channel's 200 means durably buffered, and it remembers no token: the cursor is all there is.
            Advance(appendedEnd);
            return new SinkCommit(committed, Durable: true);
        }
        ChannelStatus? status;
        try
        {
            status = await client.StatusAsync(channel, cancellationToken);
            if (status is { IsValid: false })
                throw new SnowflakeException(StatusError(status));
        }
        catch (SnowflakeException e)
        {
            throw Translate(e, opening: false);
        }
        if (status is null)
            throw Reopen($"pipe {client.PipeName} no longer knows channel {channel.Name}");
        var reached = OffsetToken.TryParse(status.CommittedToken, out var token) && token.Epoch == slot!.Epoch ? token.Offset + 1 : (long?)null;
        // Between the two lies an append whose answer was lost: it is repeated before it counts.
        if (reached > attemptedEnd)
            LogForeignToken(channel.Name, reached.Value - 1, attemptedEnd - 1);
        if (reached > appendedEnd)
            reached = appendedEnd;
        if (reached < tokenEnd)
            throw Reopen($"the committed token of channel {channel.Name} went back from offset {tokenEnd - 1} to {reached - 1}");
        ReportRowErrors(status, committed, reached ?? committed);
        Advance(reached ?? committed);
        ReportMissing(status);
        if (handledEnd > committed && clock.GetElapsedTime(progressAt) > options.CommitTimeout)
            throw Reopen(string.Create(CultureInfo.InvariantCulture, $"channel {channel.Name} says {status.Code} but has committed nothing for {options.CommitTimeout.TotalSeconds:0} s; offsets {committed} to {handledEnd - 1} are sent again"));
        return new SinkCommit(committed);
    }

    public ValueTask DisposeAsync()
    {
        if (slot is not null)
            statistics.Closed(slot.Name);
        try
        {
            NoteBalance();
        }
        catch (SinkException)
        {
            // The older note will do.
        }
        writer.Dispose();
        return ValueTask.CompletedTask;
    }

    async Task<long> OpenElasticAsync(SinkStart start, CancellationToken cancellationToken)
    {
        channel = new ChannelSession("ELASTIC");
        await CheckPipeAsync(cancellationToken);
        (requestId, retryCount) = (Guid.NewGuid(), 0);
        return start.Cursor;
    }

    async Task<(long Position, ChannelStatus Status)> OpenNamedAsync(SinkStart start, CancellationToken cancellationToken)
    {
        var epoch = start.Slot.Epoch;
        record = await RecallAsync(start, cancellationToken);
        while (true)
        {
            channel = new ChannelSession(ChannelName(options.ChannelPrefix, start.Slot.Name, epoch, record?.Generation ?? 1));
            await CheckPipeAsync(cancellationToken);
            var opened = await client.OpenAsync(channel, cancellationToken);
            if (!opened.Status.IsValid)
                throw new SnowflakeException(StatusError(opened.Status));
            continuationToken = opened.ContinuationToken;
            record ??= Remember(new ChannelRecord(epoch, 1, 0, opened.Status.RowErrors));
            var next = OffsetToken.TryParse(opened.Status.CommittedToken, out var token) && token.Epoch == epoch ? token.Offset + 1 : (long?)null;
            if (next > start.End)
            {
                // The disk lost what it had called durable, or an older copy of it was put back. What it held at start is committed; what came since is not.
                LogLostTail(channel.Name, next.Value - 1, start.End - 1);
                record = Remember(new ChannelRecord(epoch, record.Generation + 1, Math.Max(start.Cursor, initialEnd!.Value), 0));
                continue;
            }
            if (next is null && opened.Status.CommittedToken is { Length: > 0 } foreign)
                LogForeignEpoch(channel.Name, SnowflakeError.OneLine(foreign));
            // No token: the channel is new, or so long idle that Snowflake deleted it. Then the cursor knows best.
            var position = next ?? Math.Max(start.Cursor, record.FirstOffset);
            if (position < start.FirstStored)
            {
                LogGap(channel.Name, position, start.FirstStored - 1);
                position = start.FirstStored;
            }
            ReportRowErrors(opened.Status, Math.Min(start.Cursor, position), position);
            GoOnBalancing(opened.Status, position, isToken: position == next);
            tokenEnd = next ?? position;
            return (position, opened.Status);
        }
    }

    /// <summary>
    /// A pipe that is missing or invalid is found here: an invalid one opens channels and takes rows with 200, and drops them. The default pipe of a table
    /// does not exist before the first open or elastic append.
    /// </summary>
    async Task CheckPipeAsync(CancellationToken cancellationToken)
    {
        try
        {
            _ = await client.StatusAsync(channel, cancellationToken);
        }
        catch (SnowflakeException e) when (e.Error.Status == HttpStatusCode.NotFound && options.DefaultPipeTable is not null)
        {
            // The open makes it, or the first append by its table.
        }
    }

    /// <summary>
    /// An open need not be the end of a comparison: rows that were dropped before it are missing after it. What the comparison needs is how many rows were
    /// committed since, by this process or by the one before it.
    /// </summary>
    void GoOnBalancing(ChannelStatus status, long position, bool isToken)
    {
        if (status.RowsInserted + status.RowErrors is not { } counted)
            return;
        if (isToken && balance.HasAgreed && balanced == channel.Name && counted >= balance.Counted && RowsTo(position) is { } rows)
            balance.Committed(rows);
        else if (isToken && balanced is null && record!.Expected is var (expected, offset) && position >= offset)
            balance.Resume(expected, offset, position - offset, counted);
        else
            StartBalance(counted, position);
        balanced = channel.Name;
    }

    /// <summary>Rows of the appends up to a committed token; null when it is not the token of one of them.</summary>
    long? RowsTo(long position)
    {
        var (end, rows) = (tokenEnd, 0L);
        foreach (var append in inFlight.Append((End: attemptedEnd, SentAt: 0, Rows: attemptedRows)))
        {
            if (position == end)
                break;
            (end, rows) = (append.End, rows + append.Rows);
        }
        return position == end ? rows : null;
    }

    void StartBalance(long counted, long position)
    {
        if (record!.Expected is not null)
            record = Remember(record with { Expected = null });
        balance.Start(counted, position);
    }

    void NoteBalance()
    {
        if (record is null || !balance.HasAgreed || committed < rowlessEnd || record.Expected == (balance.Expected, committed))
            return;
        record = Remember(record with { Expected = (balance.Expected, committed) });
        notedAt = clock.GetTimestamp();
    }

    void Prepare(Batch batch)
    {
        if (ReferenceEquals(prepared, batch) && preparedOf == (batch.FirstOffset, batch.EndOffset, batch.CreatedAt))
            return;
        prepared = null;
        List<(BatchReading Reading, string Reason)> refused = [];
        var readings = tooLarge.Count == 0 ? batch.Readings() : batch.Readings().Where(Passes);
        parts = writer.Write(readings, batch.Count, batch.FirstOffset, batch.EndOffset, channel.Name, clock.GetUtcNow(), (reading, reason) => refused.Add((reading, reason)));
        foreach (var (reading, reason) in refused)
        {
            LogRefused(slot!.Name, reading.Offset, reason);
            Keep(reason, [reading]);
        }
        statistics.Refused(refused.Count);
        // Refused, unreadable, or lost by the journal: what a later process counts by offsets would not come out.
        if (parts.Sum(part => (long)part.Rows) != batch.EndOffset - handledEnd)
        {
            rowlessEnd = batch.EndOffset;
            if (record?.Expected is not null)
                record = Remember(record with { Expected = null });
        }
        nextPart = 0;
        preparedOf = (batch.FirstOffset, batch.EndOffset, batch.CreatedAt);
        prepared = batch;

        bool Passes(BatchReading reading)
        {
            if (!tooLarge.Contains(reading.Offset))
                return true;
            refused.Add((reading, "makes a row that something between here and Snowflake does not let through, even alone (413)"));
            return false;
        }
    }

    void Advance(long reached)
    {
        // Everything that was appended is committed: so is what followed it and had no row.
        var now = reached >= appendedEnd ? handledEnd : reached;
        if (now > committed)
        {
            reportedFrom = committed;
            committed = now;
            progressAt = clock.GetTimestamp();
        }
        while (inFlight.TryPeek(out var append) && append.End <= committed)
        {
            inFlight.Dequeue();
            balance.Committed(append.Rows);
            tokenEnd = append.End;
            statistics.Committed(append.Rows, clock.GetElapsedTime(append.SentAt));
        }
    }

    /// <summary>Rows that Snowflake refused after it had accepted the append: the count rises, the token goes on over them.</summary>
    void ReportRowErrors(ChannelStatus status, long from, long to)
    {
        // A lower count is a channel that was made anew.
        var known = status.RowErrors < record!.RowErrors ? 0 : record.RowErrors;
        if (status.RowErrors == record.RowErrors)
            return;
        var fresh = status.RowErrors - known;
        if (fresh > 0)
        {
            // Counted before their commit is seen: wait for it, to know which readings they are among.
            if (to <= from && handledEnd > committed && isOpen)
                return;
            // Counted after their commit was seen; after a start, behind what is known to be counted.
            var isLate = to <= from;
            if (isLate)
                from = record.Expected is var (_, settled) && settled < to ? Math.Max(reportedFrom, settled) : reportedFrom;
            if (OffsetToken.TryParse(status.LastErrorUpperBound, out var bound) && bound.Epoch == slot!.Epoch && bound.Offset >= from && bound.Offset < to)
                to = bound.Offset + 1;
            // All that was stored since some time is no suspect: the last ones are the likeliest. What one poll has seen committed is kept, however much it is.
            if (isLate)
                from = Math.Max(from, to - MostSuspects);
            var message = SnowflakeError.OneLine(status.LastErrorMessage ?? "no reason given");
            LogRowErrors(channel.Name, fresh, from, to - 1, message);
            if (to > from)
                Keep($"Snowflake refused {fresh} of the readings at offsets {from} to {to - 1} of channel {channel.Name}: {message}", slot!.Read(from, to));
            statistics.RowErrors(fresh);
        }
        record = Remember(record with { RowErrors = status.RowErrors });
    }

    /// <summary>Rows that are committed by their token but neither inserted nor refused.</summary>
    void ReportMissing(ChannelStatus status)
    {
        if (status.RowsInserted + status.RowErrors is not { } counted)
            return;
        // A channel that was made anew.
        if (counted < balance.Counted)
            StartBalance(counted - Outstanding, committed);
        var found = balance.Compare(counted, committed, Outstanding);
        if (found is not var (rows, from, to))
        {
            if (record!.Expected is null || clock.GetElapsedTime(notedAt) >= BalanceNote)
                NoteBalance();
            return;
        }
        // What is delivered may be gone from the journal already.
        var kept = to - from > MostSuspects ? 0
            : Keep($"Snowflake has committed offsets {from} to {to - 1} of channel {channel.Name}, but {rows} of these rows are not in its count of inserted rows", slot!.Read(from, to));
        LogMissing(channel.Name, rows, from, to - 1, kept);
        statistics.Missing(rows);
        balance.Reported(rows, to);
        NoteBalance();
    }

    int Keep(string reason, IEnumerable<BatchReading> readings)
    {
        try
        {
            return slot!.DeadLetters.Add(reason, readings);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SinkException(SinkFailure.Transient, $"refused readings cannot be kept as dead letters: {e.Message}", inner: e);
        }
    }

    async Task<ChannelRecord?> RecallAsync(SinkStart start, CancellationToken cancellationToken)
    {
        var (directory, epoch) = (start.Slot.Directory, start.Slot.Epoch);
        try
        {
            var found = ChannelRecord.Load(directory, epoch, out var damaged);
            if (damaged is not null)
                LogDamagedCopy(damaged);
            return found;
        }
        catch (InvalidDataException e)
        {
            var found = await FindLastChannelAsync(start, cancellationToken);
            LogDamagedRecord(e.Message, found is null ? "none" : ChannelName(options.ChannelPrefix, start.Slot.Name, epoch, found.Generation));
            // At once: another look would take more refused rows for reported.
            return found is null ? null : Remember(found);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SinkException(SinkFailure.Transient, $"what is known of the channel cannot be read from {directory}: {e.Message}", inner: e);
        }
    }

    /// <summary>
    /// The last of the slot's channels that the pipe knows: the best guess when the record and its copy are damaged. Older ones may be forgotten already, so a gap
    /// does not end the search. How many rows of it were refused and reported is not known: those that it counts now are taken for reported.
    /// </summary>
    async Task<ChannelRecord?> FindLastChannelAsync(SinkStart start, CancellationToken cancellationToken)
    {
        ChannelRecord? last = null;
        for (var generation = 1; generation <= (last?.Generation ?? 0) + MostForgottenChannels; generation++)
        {
            channel = new ChannelSession(ChannelName(options.ChannelPrefix, start.Slot.Name, start.Slot.Epoch, generation));
            try
            {
                if (await client.StatusAsync(channel, cancellationToken) is { } status)
                    last = new ChannelRecord(start.Slot.Epoch, generation, FirstOffset: 0, status.RowErrors);
            }
            catch (SnowflakeException e) when (e.Error.Status == HttpStatusCode.NotFound && options.DefaultPipeTable is not null)
            {
                // The pipe does not exist, so neither do its channels.
                break;
            }
        }
        return last;
    }

    ChannelRecord Remember(ChannelRecord changed)
    {
        try
        {
            changed.Save(slot!.Directory);
            return changed;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SinkException(SinkFailure.Transient, $"what is known of channel {channel.Name} cannot be written to {slot!.Directory}: {e.Message}", inner: e);
        }
    }

    OffsetToken Token(long offset) => new(slot!.Epoch, offset);

    SnowflakeError StatusError(ChannelStatus status)
        => new($"status of channel {channel.Name} of {client.PipeName}", HttpStatusCode.Conflict, status.Code, SnowflakeError.OneLine(status.LastErrorMessage ?? status.Message ?? ""));

    SinkException Reopen(string reason)
    {
        isOpen = false;
        statistics.Reopening();
        return new SinkException(SinkFailure.Reopen, reason);
    }

    SinkException Translate(SnowflakeException e, bool opening)
    {
        var error = e.Error;
        var action = error.Action;
        statistics.Failed(error);
        // A single 404 in the middle of a stream: the open that follows finds out whether it is the channel or the pipe.
        if (action == SnowflakeAction.AskOperator && error is { Status: HttpStatusCode.NotFound, Code: "" } && !opening)
            action = SnowflakeAction.Reopen;
        // Once it may be a lost channel; twice in a row it is a grant or a name.
        if (error.Code == "ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED")
        {
            if (reopenedFor == error.Code)
                action = SnowflakeAction.AskOperator;
            reopenedFor = error.Code;
        }
        // An answer that is neither success nor a known error, again and again: perhaps the continuation token is what the server minds.
        if (action == SnowflakeAction.Retry && !opening && (int?)error.Status is >= 200 and < 500 and not (408 or 429 or 499) && ++refusals >= TolerableRefusals)
            action = SnowflakeAction.Reopen;
        var explanation = SnowflakeErrors.Explain(error, options);
        var explained = SnowflakeErrors.IsExplained(error) ? $"{error.Describe()}. {explanation.Cause} {explanation.Fix}" : error.Describe();
        switch (action)
        {
            case SnowflakeAction.Retry:
                return new SinkException(SinkFailure.Transient, explained, error.RetryAfter, e);
            case SnowflakeAction.Reopen:
                isOpen = false;
                statistics.Reopening();
                return new SinkException(SinkFailure.Reopen, explained, error.RetryAfter, e);
            case SnowflakeAction.Rebuild:
                isOpen = false;
                client.Forget();
                statistics.Reopening();
                return new SinkException(SinkFailure.Reopen, explained, error.RetryAfter, e);
            // Reopened, although the refused append was not applied: an earlier attempt of the same rows whose answer was lost may have been, and other rows under
            // its continuation token would be taken for its repetition.
            case SnowflakeAction.Smaller when !opening && nextPart < parts.Count && parts[nextPart] is { Rows: > 1 } part:
                isOpen = false;
                statistics.Reopening();
                writer.PlainLimit = part.UncompressedBytes / 2;
                return new SinkException(SinkFailure.Reopen, $"{explained} Appends now have at most {writer.PlainLimit} bytes before compression", error.RetryAfter, e);
            case SnowflakeAction.Smaller when !opening && nextPart < parts.Count && parts[nextPart] is { Gzip.Length: > LargestUsualRow } part:
                isOpen = false;
                statistics.Reopening();
                tooLarge.Add(part.LastRow);
                return new SinkException(SinkFailure.Reopen, $"{explained} The row of offset {part.LastRow} has {part.Gzip.Length} bytes, compressed; it goes to the dead letters", error.RetryAfter, e);
            default:
                isOpen = false;
                return new SinkException(SinkFailure.NeedsOperator, $"{error.Describe()}. {explanation.Cause} {explanation.Fix}", inner: e);
        }
    }

    [LoggerMessage(EventId = 410, Level = LogLevel.Error, Message = "{Channel}: Snowflake refused {Count} rows between offsets {First} and {Last}: {Reason}. The readings of these offsets are kept as dead letters; ERROR_TABLE shows the refused rows")]
    partial void LogRowErrors(string channel, long count, long first, long last, string reason);

    [LoggerMessage(EventId = 411, Level = LogLevel.Error, Message = "{Slot}: the reading at offset {Offset} {Reason}. It is kept as a dead letter")]
    partial void LogRefused(string slot, long offset, string reason);

    [LoggerMessage(EventId = 418, Level = LogLevel.Error, Message = "{Path} was damaged; what is kept twice is taken from the other one and written anew. Check the storage (dmesg, SD card)")]
    partial void LogDamagedCopy(string path);

    [LoggerMessage(EventId = 417, Level = LogLevel.Error, Message = "{Problem}. They say which channel of the slot is the last one; the last one that the pipe knows is {Channel}, and delivery goes on there. Check the storage (dmesg, SD card)")]
    partial void LogDamagedRecord(string problem, string channel);

    [LoggerMessage(EventId = 412, Level = LogLevel.Error, Message = "{Channel}: Snowflake has committed offset {Committed}, but the journal ends at {Last}: the disk lost readings after they were delivered, or an older copy of it was put back. Delivery goes on in a new channel; no reading is lost to it")]
    partial void LogLostTail(string channel, long committed, long last);

    [LoggerMessage(EventId = 413, Level = LogLevel.Error, Message = "{Channel}: offsets {First} to {Last} are not committed and no longer in the journal: they are lost")]
    partial void LogGap(string channel, long first, long last);

    [LoggerMessage(EventId = 414, Level = LogLevel.Error, Message = "{Channel}: Snowflake has committed offset {Committed}, but this forwarder has sent only up to {Sent}: another machine delivers with the same identity. If this SD card is a copy, empty the data volume on one of the two")]
    partial void LogForeignToken(string channel, long committed, long sent);

    [LoggerMessage(EventId = 415, Level = LogLevel.Warning, Message = "{Channel} carries the offset token '{Token}' of another journal: nothing of this journal is committed in it")]
    partial void LogForeignEpoch(string channel, string token);

    [LoggerMessage(EventId = 416, Level = LogLevel.Error, Message = "{Channel}: {Count} rows between offsets {First} and {Last} are committed, but Snowflake counts them neither as inserted nor as refused. A pipe that is invalid for a moment drops rows like that (look into its history for a CREATE OR REPLACE or a changed grant), and so does one with a WHERE. {Kept} readings of these offsets, those that the journal still held, are kept as dead letters; sql/queries/08_gaps_in_the_stream.sql shows which are missing")]
    partial void LogMissing(string channel, long count, long first, long last, int kept);
}
