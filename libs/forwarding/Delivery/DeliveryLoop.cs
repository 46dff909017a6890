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
    DeliveryCursor cursor,
    IBatchSink sink,
    SlotContext slot,
    PauseSwitch pause,
    Health health,
    TimeProvider clock,
    ILogger logger
) : IDisposable
{
    /// <summary>Reopenings in a row without a commit before the service reports itself as unwell.</summary>
    const int TolerableReopenings = 5;

    /// <summary>Shortest time between a paused slot's questions for commits.</summary>
    static readonly TimeSpan ShortestPoll = TimeSpan.FromMilliseconds(10);

    readonly string part = $"delivery {slot.Name}";
    readonly Batch batch = new(AssignedIdentity.BootIdOf(slot.Epoch));
    readonly DurableJournal journal = cursor.Journal;
    readonly ForwarderMetrics metrics = cursor.Metrics;
    BatchReader? reader;
    CancellationToken flushed,
        switched;
    long? plannedEnd;
    bool isCut;
    int failures;
    int reopenings;
    long lastPoll;
    long lingerTicks;

    // One past the last offset that the sink has accepted.
    long sent;

    /// <summary>How long a batch waits for more readings now. May be asked from any thread.</summary>
    public TimeSpan Linger => TimeSpan.FromTicks(Volatile.Read(ref lingerTicks));

    /// <summary>The requests to deliver the journal at once.</summary>
    public FlushRequests Flushes => cursor.Flushes;

    /// <summary>
    /// Runs until <paramref name="abort"/>, or, once <paramref name="drain"/> is requested, until everything in the journal is committed or
    /// delivery is paused.
    /// </summary>
    public async Task RunAsync(CancellationToken drain, CancellationToken abort)
    {
        while (!abort.IsCancellationRequested)
        {
            try
            {
                // Taken before the two are checked, so that no change is missed.
                (flushed, switched) = (Flushes.Arm(), pause.Changed);
                if (pause.Current is { } paused)
                {
                    if (drain.IsCancellationRequested)
                        return;
                    await RestAsync(paused, drain, abort);
                    continue;
                }
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
                // An operator will not fix it within the seconds that a stop may take; the journal keeps the rest.
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
                // A sink should throw nothing else, so this is a defect. Delivery still continues.
                LogUnforeseen(e, slot.Name, e.Message);
                await FailedAsync(new SinkException(SinkFailure.Reopen, $"{e.GetType().Name}: {e.Message}", inner: e), abort);
            }
        }
    }

    /// <summary>After the loop has ended.</summary>
    public void Dispose()
    {
        Flushes.Dispose();
        reader?.Dispose();
    }

    /// <summary>
    /// While delivery is paused: opens and sends nothing, but still asks which sent readings are committed, so that none stays in doubt.
    /// </summary>
    async Task RestAsync(Pause paused, CancellationToken drain, CancellationToken abort)
    {
        var isSettled = reader is null || sent <= journal.CommittedOffset;
        if (!isSettled && clock.GetElapsedTime(lastPoll) >= sink.PollInterval)
            await PollAsync(abort);
        health.Well(part, paused.Text);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(switched, drain, abort);
        var wait = isSettled ? Timeout.InfiniteTimeSpan : Max(sink.PollInterval - clock.GetElapsedTime(lastPoll), ShortestPoll);
        await Task.Delay(wait, clock, any.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // Whether delivery works is not known yet; the next attempt tells.
        if (pause.Current is null)
            health.Well(part);
    }

    async Task OpenAsync(CancellationToken cancellationToken)
    {
        var position = await sink.OpenAsync(
            new SinkStart(slot, journal.CommittedOffset, journal.FirstOffset, journal.NextOffset),
            cancellationToken
        );
        var start = position.Offset < journal.CommittedOffset ? cursor.Rewind(position.Offset) : position.Offset;
        if (start > journal.CommittedOffset)
            cursor.Commit(start, durable: false);
        cursor.Forget();
        reader = new BatchReader(journal, start, clock);
        // A plan that ends beyond the journal's end cannot be repeated: the disk lost readings that it had called durable.
        plannedEnd = position.BatchEnd <= journal.NextOffset ? position.BatchEnd : null;
        isCut = false;
        sent = start;
        batch.Clear(start);
        lastPoll = clock.GetTimestamp();
        Recovered();
    }

    async Task PollAsync(CancellationToken cancellationToken)
    {
        var commit = await sink.PollAsync(cancellationToken);
        lastPoll = clock.GetTimestamp();
        if (commit.Offset > journal.CommittedOffset)
            cursor.Commit(commit.Offset, commit.Durable);
        // Only a commit counts as progress, unless there is nothing to commit.
        else if (journal.BacklogReadings > 0)
            return;
        failures = reopenings = 0;
        health.Well(part);
    }

    bool IsReadyToCut(bool draining)
    {
        isCut = Fill() || (batch.Count > 0 && plannedEnd is null && IsDue(draining));
        if (isCut)
            batch.CreatedAt = clock.GetUtcNow();
        return isCut;
    }

    bool IsDue(bool draining) => draining || Flushes.Wants(sent) || clock.GetElapsedTime(reader!.FirstSeen) >= sink.Limits.Linger;

    bool Fill()
    {
        try
        {
            var limits = sink.Limits;
            Volatile.Write(ref lingerTicks, limits.Linger.Ticks);
            return reader!.Fill(batch, limits, plannedEnd);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SinkException(SinkFailure.Transient, $"the journal cannot be read: {e.Message}", inner: e);
        }
    }

    async Task SendAsync(CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        cursor.Attempt();
        await sink.SendAsync(batch, cancellationToken);
        metrics.Sent(batch.Count, clock.GetElapsedTime(started));
        cursor.Accepted(batch);
        if (failures > 0)
            Recovered();
        failures = 0;
        plannedEnd = null;
        isCut = false;
        sent = batch.EndOffset;
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
            slot.DeadLetters.Add(record.ToLetter(slot), DeadLetterOrigin.Refused);
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
                await FailedAsync(
                    new SinkException(SinkFailure.Transient, $"dead letters cannot be written: {io.Message}", inner: io),
                    abort
                );
            }
        }
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
        using var any = CancellationTokenSource.CreateLinkedTokenSource(
            until.Token,
            abort,
            flushed,
            switched,
            drain.IsCancellationRequested ? CancellationToken.None : drain
        );
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
        metrics.Failed(new LastFailure(clock.GetUtcNow(), e.Failure, e.Message));
        if (e.Failure != SinkFailure.Transient)
        {
            reopenings++;
            reader?.Dispose();
            reader = null;
        }
        var (delay, isAsked) = DeliveryBackOff.After(e, failures);
        // A first failure that may pass by itself is not reported, unless the wait is long; a second one is.
        if (e.Failure == SinkFailure.NeedsOperator || failures > 1 || reopenings >= TolerableReopenings || delay > DeliveryBackOff.Longest)
        {
            var problem =
                reopenings >= TolerableReopenings ? $"reopened {reopenings} times in a row without progress: {e.Message}" : e.Message;
            health.Unwell(
                part,
                isAsked
                    ? string.Create(
                        CultureInfo.InvariantCulture,
                        $"{problem} (the answer asked for a wait: next attempt {delay.TotalSeconds:0} s after this one)"
                    )
                    : problem
            );
        }
        LogFailed(slot.Name, e.Failure, e.Message, failures, delay.TotalSeconds);
        // A pause or resume ends the wait: a person has dealt with the failure. At an abort the loop ends.
        using var any = CancellationTokenSource.CreateLinkedTokenSource(abort, pause.Changed);
        await Task.Delay(delay, clock, any.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    [LoggerMessage(
        EventId = 100,
        Level = LogLevel.Warning,
        Message = "{Slot}: {Failure}: {Reason} (failure {Count} in a row; next attempt in {Seconds:0.0} s). Readings are kept in the "
            + "journal"
    )]
    partial void LogFailed(string slot, SinkFailure failure, string reason, int count, double seconds);

    [LoggerMessage(
        EventId = 101,
        Level = LogLevel.Error,
        Message = "{Slot}: unexpected error, a defect of this program: {Reason}. Delivery reopens its destination and continues; "
            + "please report this"
    )]
    partial void LogUnforeseen(Exception e, string slot, string reason);

    [LoggerMessage(
        EventId = 102,
        Level = LogLevel.Error,
        Message = "{Slot}: the records at offsets {First} to {Last} cannot be read: {Reason}. They are kept as a dead letter; "
            + "another version of this service may be able to read them"
    )]
    partial void LogUnreadable(string slot, long first, long last, string reason);
}
