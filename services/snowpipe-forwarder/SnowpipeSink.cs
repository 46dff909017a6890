using System.Globalization;
using ThermalStreaming.Forwarding;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>
/// Delivers one slot's journal through one channel of Snowpipe Streaming, each reading once.
/// </summary>
/// <remarks>
/// Delivery is exactly once for these reasons. Appends carry the journal offset of their last reading as offset token. An append whose
/// answer was lost is repeated byte for byte with the same continuation token, which the server applies at most once. After any other doubt
/// the channel is opened again, which drops uncommitted rows, and sending continues after the committed token. An append's 200 is never
/// taken for a commit.
/// <para>
/// The channel is named <c>{SNOWFLAKE_CHANNEL}_{slot}_{first 8 digits of the journal's epoch}</c>: two installations on one pipe, or a new
/// SD card in an old Pi, never share a channel. <c>-2</c>, <c>-3</c>… follow when the journal lost readings that the channel had already
/// seen, so that no offset ever means two readings in one channel.
/// </para>
/// </remarks>
sealed partial class SnowpipeSink : IBatchSink
{
    /// <summary>Time between two status calls while a commit is awaited.</summary>
    internal static readonly TimeSpan BusyPoll = TimeSpan.FromSeconds(1);

    /// <summary>Time between two status calls while no commit is awaited.</summary>
    internal static readonly TimeSpan IdlePoll = TimeSpan.FromSeconds(30);

    readonly SnowpipeClient client;
    readonly SnowpipeOptions options;
    readonly SnowpipeStatistics statistics;
    readonly TimeProvider clock;
    readonly ILogger logger;
    readonly RateLimit requests;
    readonly RateLimit bytes;
    readonly ChannelOpener opener;
    readonly ChannelProgress progress = new();
    readonly RowAudit audit;
    readonly PreparedBatch prepared;
    readonly FailurePolicy policy;

    // Set by the last open.
    SlotContext? slot;
    string continuationToken = "";
    bool isOpen;
    long progressAt;

    public SnowpipeSink(
        SnowpipeClient client,
        SnowpipeOptions options,
        SnowpipeStatistics statistics,
        TimeProvider clock,
        ILogger<SnowpipeSink> logger
    )
    {
        this.client = client;
        this.options = options;
        this.statistics = statistics;
        this.clock = clock;
        this.logger = logger;
        requests = new RateLimit(options.RequestsPerSecond, clock);
        bytes = new RateLimit(options.BytesPerSecond, clock);
        var records = new ChannelRecords(client, options, logger);
        opener = new ChannelOpener(client, options, records, logger);
        audit = new RowAudit(records, options, statistics, clock, logger);
        prepared = new PreparedBatch(
            statistics,
            options.Validation == InvalidRows.Flag ? new RowRules(options.Rules, statistics) : null,
            logger
        );
        policy = new FailurePolicy(options, clock);
        Limits = new BatchLimits(options.MaxReadings, options.MaxBytes, options.Linger);
    }

    public BatchLimits Limits { get; }

    public string Destination =>
        $"{options.Database}.{options.Schema}.{options.Pipe}" + (Channel.Name.Length == 0 ? "" : $", channel {Channel.Name}");

    public TimeSpan PollInterval => progress.IsWaiting || audit.IsWatching ? BusyPoll : IdlePoll;

    ChannelSession Channel => opener.Channel;

    bool IsElastic => options.Ingestion == SnowpipeIngestion.Elastic;

    public async Task<SinkPosition> OpenAsync(SinkStart start, CancellationToken cancellationToken)
    {
        slot = start.Slot;
        isOpen = false;
        prepared.Forget();
        policy.Opening();
        try
        {
            var (position, status) = IsElastic
                ? (await OpenElasticAsync(start, cancellationToken), null)
                : await OpenNamedAsync(start, cancellationToken);
            policy.SignedIn();
            progressAt = clock.GetTimestamp();
            // A difference is watched from here on, not only from the first poll.
            if (status is not null)
                audit.ReportMissing(status, progress);
            isOpen = true;
            statistics.Opened(slot.Name, Channel.Name);
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
            throw new SinkException(SinkFailure.Reopen, $"channel {Channel.Name} is not open");
        prepared.Prepare(
            batch,
            progress.HandledEnd,
            Channel.Name,
            audit.RowLimit(batch.Count),
            (clock.GetUtcNow(), client.ServerClock.UtcNow),
            KeepRefused
        );
        if (prepared.HasRowless)
            audit.NoteRowless(batch.EndOffset);
        while (prepared.Next is { } append)
        {
            await requests.TakeAsync(1, cancellationToken);
            await bytes.TakeAsync(append.Rows.UncompressedBytes, cancellationToken);
            var started = clock.GetTimestamp();
            progress.Attempting(append.Rows);
            try
            {
                if (IsElastic)
                    await client.AppendElasticAsync(Channel, append, cancellationToken);
                else
                    await AppendAsync(append, cancellationToken);
            }
            catch (SnowflakeException e)
            {
                throw Translate(e, opening: false);
            }
            if (!progress.IsWaiting)
                progressAt = started;
            progress.Accepted(append.Rows, clock.GetTimestamp());
            prepared.Answered();
            policy.SignedIn();
            policy.Accepted();
            statistics.Appended(append.Rows);
        }
        progress.Handled(batch.EndOffset);
        prepared.Forget();
    }

    public async Task<SinkCommit> PollAsync(CancellationToken cancellationToken)
    {
        if (!isOpen)
            throw new SinkException(SinkFailure.Reopen, $"channel {Channel.Name} is not open");
        if (IsElastic)
        {
            // The elastic channel's 200 means durably buffered. It remembers no token, so the cursor is all there is.
            Advance(progress.AcceptedEnd);
            return new SinkCommit(progress.Committed, Durable: true);
        }
        ChannelStatus? status;
        try
        {
            status = await client.StatusAsync(Channel, cancellationToken);
            if (status is { IsValid: false })
                throw new SnowflakeException(status.Error($"status of channel {Channel.Name} of {client.PipeName}"));
        }
        catch (SnowflakeException e)
        {
            throw Translate(e, opening: false);
        }
        policy.SignedIn();
        if (status is null)
            throw Reopen($"pipe {client.PipeName} no longer knows channel {Channel.Name}");
        var before = progress.Committed;
        var reached = Reached(status) ?? before;
        audit.ReportRefused(status, progress, before, reached, isOpen: true);
        Advance(reached);
        audit.ReportMissing(status, progress);
        if (progress.IsWaiting && clock.GetElapsedTime(progressAt) > options.CommitTimeout)
            throw Reopen(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"channel {Channel.Name} says {status.Code} but has committed nothing for {options.CommitTimeout.TotalSeconds:0} s; "
                        + $"offsets {progress.Committed} to {progress.HandledEnd - 1} are sent again"
                )
            );
        return new SinkCommit(progress.Committed);
    }

    public ValueTask DisposeAsync()
    {
        if (slot is not null)
            statistics.Closed(slot.Name);
        try
        {
            audit.Note(progress.Committed);
        }
        catch (SinkException)
        {
            // The older note will do.
        }
        prepared.Dispose();
        return ValueTask.CompletedTask;
    }

    async Task AppendAsync(PendingAppend append, CancellationToken cancellationToken)
    {
        var next = await client.AppendAsync(
            Channel,
            continuationToken,
            Token(append.Rows.FirstOffset),
            Token(append.Rows.LastOffset),
            append,
            cancellationToken
        );
        // Each applied append changes the token. With the old token, this append may have been applied or not, and the next one would be
        // taken for its repetition.
        if (next == continuationToken)
            throw Reopen(
                $"append {append.Rows.Rows} rows to channel {Channel.Name}: the answer's continuation token is the one that was sent"
            );
        continuationToken = next;
    }

    async Task<long> OpenElasticAsync(SinkStart start, CancellationToken cancellationToken)
    {
        await opener.OpenElasticAsync(cancellationToken);
        progress.Opened(start.Cursor, start.Cursor);
        return start.Cursor;
    }

    async Task<(long Position, ChannelStatus Status)> OpenNamedAsync(SinkStart start, CancellationToken cancellationToken)
    {
        var opened = await opener.OpenNamedAsync(start, progress.SentEnd, cancellationToken);
        continuationToken = opened.ContinuationToken;
        audit.Opened(
            (start.Slot, opened.Record, Channel.Name),
            opened.Status,
            progress,
            opened.Position,
            start.Cursor,
            isToken: opened.Position == opened.TokenEnd
        );
        progress.Opened(opened.Position, opened.TokenEnd ?? opened.Position);
        return (opened.Position, opened.Status);
    }

    /// <summary>First offset that is not committed, by the channel's token; null if the token is not of this journal.</summary>
    long? Reached(ChannelStatus status)
    {
        var reached =
            OffsetToken.TryParse(status.CommittedToken, out var token) && token.Epoch == slot!.Epoch ? token.Offset + 1 : (long?)null;
        // Between the two lies an append whose answer was lost; it is repeated before it counts.
        if (reached > progress.AttemptedEnd)
            LogForeignToken(Channel.Name, reached.Value - 1, progress.AttemptedEnd - 1);
        if (reached > progress.AcceptedEnd)
            reached = progress.AcceptedEnd;
        return reached < progress.TokenEnd
            ? throw Reopen($"the committed token of channel {Channel.Name} went back from offset {progress.TokenEnd - 1} to {reached - 1}")
            : reached;
    }

    void Advance(long reached)
    {
        if (progress.Reached(reached))
            progressAt = clock.GetTimestamp();
        while (progress.TakeCommitted() is { } append)
        {
            audit.Committed(append.Rows);
            statistics.Committed(append.Rows, clock.GetElapsedTime(append.At));
        }
    }

    void KeepRefused(string reason, BatchReading reading) => RowAudit.Keep(slot!, reason, [reading]);

    OffsetToken Token(long offset) => new(slot!.Epoch, offset);

    SinkException Reopen(string reason)
    {
        Close();
        return new SinkException(SinkFailure.Reopen, reason);
    }

    void Close()
    {
        isOpen = false;
        statistics.Reopening();
    }

    SinkException Translate(SnowflakeException e, bool opening)
    {
        statistics.Failed(e.Error);
        var (action, message) = policy.Judge(e.Error, opening);
        switch (action)
        {
            case SnowflakeAction.Retry:
                return new SinkException(SinkFailure.Transient, message, e.Error.RetryAfter, e);
            case SnowflakeAction.Reopen:
                Close();
                return new SinkException(SinkFailure.Reopen, message, e.Error.RetryAfter, e);
            case SnowflakeAction.Rebuild:
                Close();
                client.Forget();
                return new SinkException(SinkFailure.Reopen, message, e.Error.RetryAfter, e);
            // Reopen, although the refused append was not applied: an earlier attempt with the same rows and a lost answer may have been,
            // and other rows under its continuation token would be taken for its repetition.
            case SnowflakeAction.Smaller when !opening && prepared.Shrink() is { } how:
                Close();
                return new SinkException(SinkFailure.Reopen, $"{message} {how}", e.Error.RetryAfter, e);
            default:
                isOpen = false;
                return new SinkException(SinkFailure.NeedsOperator, message, inner: e);
        }
    }

    [LoggerMessage(
        EventId = 414,
        Level = LogLevel.Error,
        Message = "{Channel}: Snowflake has committed offset {Committed}, but this forwarder has sent only up to {Sent}: another machine "
            + "delivers with the same identity. If this SD card is a copy, empty the data volume on one of the two"
    )]
    partial void LogForeignToken(string channel, long committed, long sent);
}
