using System.Globalization;
using Microsoft.Extensions.Logging;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// Delivers one journal to one sink: cuts a batch, sends it, cuts the next one while waiting for the commit, and moves the cursor when the
/// sink reports the commit. At most one send is in flight. Not thread-safe.
/// </summary>
sealed partial class DeliveryLoop(
    DurableJournal journal, IBatchSink sink, SlotContext slot, Health health, ForwarderMetrics metrics, TimeProvider clock, ILogger logger)
    : IDisposable
{
    /// <summary>Reopenings in a row without a commit after which the service calls itself unwell.</summary>
    const int TolerableReopenings = 5;

    static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(500);
    static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Longest wait that a destination may ask for: a proxy's mistake, or a date read by a wrong clock, must not stop delivery for days.
    /// </summary>
    static readonly TimeSpan LongestAskedDelay = TimeSpan.FromMinutes(5);

    // An operator seldom fixes a problem at once, but some refusals pass by themselves.
    static readonly TimeSpan FirstOperatorDelay = TimeSpan.FromSeconds(5);
    static readonly TimeSpan LongestOperatorDelay = TimeSpan.FromSeconds(60);

    readonly string part = $"delivery {slot.Name}";
    readonly Batch batch = new(AssignedIdentity.BootIdOf(slot.Epoch));
    BatchReader? reader;
    long? plannedEnd;
    bool isCut;
    int failures;
    int reopenings;
    long lastPoll;

    /// <summary>One past the last offset that the sink has accepted.</summary>
    public long Sent { get; private set; }

    /// <summary>
    /// Runs until <paramref name="abort"/>, or, once <paramref name="drain"/> is requested, until all that is in the journal is committed.
    /// </summary>
    public async Task RunAsync(CancellationToken drain, CancellationToken abort)
    {
        while (!abort.IsCancellationRequested)
        {
            try
            {
                if (reader is null)
                    await OpenAsync(abort);
                if (clock.GetElapsedTime(lastPoll) >= sink.PollInterval)
                    await PollAsync(abort);
                if (isCut || IsReadyToCut(drain.IsCancellationRequested))
                {
                    await SendAsync(abort);
                    continue;
                }
                if (drain.IsCancellationRequested && batch.Count == 0 && journal.BacklogReadings == 0)
                    return;
                await WaitAsync(drain, abort);
            }
            catch (OperationCanceledException) when (abort.IsCancellationRequested)
            {
                return;
            }
            catch (SinkException e) when (drain.IsCancellationRequested && e.Failure == SinkFailure.NeedsOperator)
            {
                // An operator will not fix it within the seconds that a stop has; the journal keeps the rest.
                return;
            }
            catch (SinkException e)
            {
                await FailedAsync(e, abort);
            }
            catch (PayloadException e)
            {
                await SetAsideAsync(e, abort);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // A sink should throw nothing else, so this is a defect. Delivery continues all the same.
                LogUnforeseen(e, slot.Name, e.Message);
                await FailedAsync(new SinkException(SinkFailure.Reopen, $"{e.GetType().Name}: {e.Message}", inner: e), abort);
            }
        }
    }

    /// <summary>After the loop has ended.</summary>
    public void Dispose() => reader?.Dispose();

    async Task OpenAsync(CancellationToken cancellationToken)
    {
        var position = await sink.OpenAsync(new SinkStart(slot, journal.CommittedOffset, journal.FirstOffset, journal.NextOffset), cancellationToken);
        var start = position.Offset < journal.CommittedOffset ? Rewind(position.Offset) : position.Offset;
        if (start > journal.CommittedOffset)
            Commit(start, durable: false);
        reader = new BatchReader(journal, start, clock);
        // A plan that ends beyond the journal's end cannot be repeated: the disk lost readings that it had called durable.
        plannedEnd = position.BatchEnd <= journal.NextOffset ? position.BatchEnd : null;
        isCut = false;
        Sent = start;
        batch.Clear(start);
        lastPoll = clock.GetTimestamp();
        Recovered();
    }

    async Task PollAsync(CancellationToken cancellationToken)
    {
        var commit = await sink.PollAsync(cancellationToken);
        lastPoll = clock.GetTimestamp();
        if (commit.Offset > journal.CommittedOffset)
            Commit(commit.Offset, commit.Durable);
        // Only a commit counts as progress, unless there is nothing to commit.
        else if (journal.BacklogReadings > 0)
            return;
        failures = reopenings = 0;
        health.Well(part);
    }

    /// <summary>
    /// Commits. A cursor that cannot be written now is written later; until then, a restart asks the destination, or the plan, what is
    /// committed.
    /// </summary>
    void Commit(long offset, bool durable)
    {
        try
        {
            journal.Commit(offset, durable);
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            LogCursor(slot.Name, e.Message);
        }
    }

    /// <inheritdoc cref="Commit"/>
    long Rewind(long offset)
    {
        try
        {
            return journal.Rewind(offset);
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            LogCursor(slot.Name, e.Message);
            return journal.CommittedOffset;
        }
    }

    bool IsReadyToCut(bool draining)
    {
        isCut = Fill()
            || (batch.Count > 0 && plannedEnd is null && (draining || clock.GetElapsedTime(reader!.FirstSeen) >= sink.Limits.Linger));
        if (isCut)
            batch.CreatedAt = clock.GetUtcNow();
        return isCut;
    }

    bool Fill()
    {
        try
        {
            return reader!.Fill(batch, sink.Limits, plannedEnd);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SinkException(SinkFailure.Transient, $"the journal cannot be read: {e.Message}", inner: e);
        }
    }

    async Task SendAsync(CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        await sink.SendAsync(batch, cancellationToken);
        metrics.Sent(batch.Count, clock.GetElapsedTime(started));
        if (failures > 0)
            Recovered();
        failures = 0;
        plannedEnd = null;
        isCut = false;
        Sent = batch.EndOffset;
        batch.Clear(batch.EndOffset);
    }

    /// <summary>
    /// Reports delivery as well, unless it was reopened many times: then reopening does not count as recovery until something has been
    /// committed.
    /// </summary>
    void Recovered()
    {
        if (reopenings < TolerableReopenings)
            health.Well(part);
    }

    /// <summary>Moves the batch's unreadable records to the dead letters; the batch is sent without them.</summary>
    async Task SetAsideAsync(PayloadException e, CancellationToken abort)
    {
        var unreadable = batch.TakeUnreadable();
        if (unreadable.Count == 0)
        {
            LogUnforeseen(e, slot.Name, e.Message);
            await FailedAsync(new SinkException(SinkFailure.Reopen, e.Message, inner: e), abort);
            return;
        }
        foreach (var record in unreadable)
        {
            LogUnreadable(slot.Name, record.Offset, record.Offset + record.Count - 1, record.Reason);
            slot.DeadLetters.Add(ToLetter(record), DeadLetterOrigin.Refused);
        }
        while (!abort.IsCancellationRequested)
        {
            try
            {
                slot.DeadLetters.Flush();
                return;
            }
            catch (IOException io)
            {
                await FailedAsync(new SinkException(SinkFailure.Transient, $"dead letters cannot be written: {io.Message}", inner: io), abort);
            }
        }
    }

    DeadLetter ToLetter(UnreadableRecord record)
    {
        var reason = $"{slot.Name}, offsets {record.Offset} to {record.Offset + record.Count - 1}: {record.Reason}";
        if (!StoredPayload.TryParse(record.Record, out var stored))
            return new DeadLetter(reason, "", null, 0, record.Record);
        return new DeadLetter(reason, Topics.Readings(stored.DeviceId, stored.Kind), stored.IsJson ? Payload.JsonContentType : Payload.ProtobufContentType, 0, stored.Bytes)
        {
            ReceivedAt = stored.StoredAt,
            Assigned = stored.Assigned ?? new(AssignedIdentity.BootIdOf(slot.Epoch), (ulong)record.RecordOffset),
        };
    }

    async Task WaitAsync(CancellationToken drain, CancellationToken abort)
    {
        var wait = sink.PollInterval - clock.GetElapsedTime(lastPoll);
        if (batch.Count > 0)
            wait = Min(wait, sink.Limits.Linger - clock.GetElapsedTime(reader!.FirstSeen));
        if (wait <= TimeSpan.Zero)
            return;
        using var until = new CancellationTokenSource(wait, clock);
        // While draining, it waits only for time and for commits: the drain token would end every wait at once.
        using var any = CancellationTokenSource.CreateLinkedTokenSource(until.Token, abort, drain.IsCancellationRequested ? CancellationToken.None : drain);
        try
        {
            if (await reader!.WaitAsync(any.Token))
                return;
            await Task.Delay(Timeout.InfiniteTimeSpan, clock, any.Token);
        }
        catch (OperationCanceledException) when (!abort.IsCancellationRequested)
        {
            // The wait is over.
        }
    }

    async Task FailedAsync(SinkException e, CancellationToken abort)
    {
        failures++;
        metrics.Failed(e.Failure);
        if (e.Failure != SinkFailure.Transient)
        {
            reopenings++;
            reader?.Dispose();
            reader = null;
        }
        var backOff = e.Failure == SinkFailure.NeedsOperator
            ? BackOff(failures, FirstOperatorDelay, LongestOperatorDelay)
            : BackOff(failures, FirstDelay, LongestDelay);
        // Never less than the usual back-off: with 0 the loop would ask without a pause.
        var delay = e.RetryAfter is { } asked ? Max(backOff, Min(asked, LongestAskedDelay)) : backOff;
        // The first failure that may pass by itself is not reported, unless the wait is long; the second is.
        if (e.Failure == SinkFailure.NeedsOperator || failures > 1 || reopenings >= TolerableReopenings || delay > LongestDelay)
        {
            var problem = reopenings >= TolerableReopenings ? $"reopened {reopenings} times in a row without progress: {e.Message}" : e.Message;
            health.Unwell(part, delay > backOff ? string.Create(CultureInfo.InvariantCulture, $"{problem} (it asked for a wait: next attempt {delay.TotalSeconds:0} s after this one)") : problem);
        }
        LogFailed(slot.Name, e.Failure, e.Message, failures, delay.TotalSeconds);
        try
        {
            await Task.Delay(delay, clock, abort);
        }
        catch (OperationCanceledException)
        {
            // The loop ends.
        }
    }

    // Full jitter above a floor: replicas that failed together must not come back together.
    static TimeSpan BackOff(int failures, TimeSpan first, TimeSpan longest)
    {
        var ceiling = Min(first * Math.Pow(2, Math.Min(failures - 1, 10)), longest);
        return ceiling * (0.5 + Random.Shared.NextDouble() / 2);
    }

    static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    [LoggerMessage(EventId = 100, Level = LogLevel.Warning, Message =
        "{Slot}: {Failure}: {Reason} (failure {Count} in a row; next attempt in {Seconds:0.0} s). Readings are kept in the journal")]
    partial void LogFailed(string slot, SinkFailure failure, string reason, int count, double seconds);

    [LoggerMessage(EventId = 101, Level = LogLevel.Error, Message =
        "{Slot}: unexpected error, a defect: {Reason}. Delivery reopens and continues; please report it")]
    partial void LogUnforeseen(Exception e, string slot, string reason);

    [LoggerMessage(EventId = 102, Level = LogLevel.Error, Message =
        "{Slot}: what is stored at offsets {First} to {Last} cannot be read: {Reason}. It is kept with the dead letters; another version "
        + "of this service may read it")]
    partial void LogUnreadable(string slot, long first, long last, string reason);

    [LoggerMessage(EventId = 103, Level = LogLevel.Warning, Message =
        "{Slot}: the journal's cursor cannot be written now ({Reason}). Delivery continues; retrying")]
    partial void LogCursor(string slot, string reason);
}
