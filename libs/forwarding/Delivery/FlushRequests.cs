using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding;

/// <summary>Requests to deliver a journal without waiting for full batches. Thread-safe.</summary>
/// <param name="journal">The journal.</param>
sealed class FlushRequests(DurableJournal journal) : IDisposable
{
    readonly Lock gate = new();
    readonly List<(long Target, TaskCompletionSource Done)> waiting = [];
    CancellationTokenSource wake = new();
    long target;
    bool isClosed;

    /// <summary>Completes when everything in the journal now is committed. If the wait is given up, delivery still continues.</summary>
    /// <exception cref="ObjectDisposedException">The slot was closed first.</exception>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        (long, TaskCompletionSource) request;
        CancellationTokenSource told;
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(isClosed, this);
            if (journal.BacklogReadings == 0)
                return;
            target = journal.NextOffset;
            request = (target, done);
            waiting.Add(request);
            told = wake;
        }
        await told.CancelAsync();
        try
        {
            await done.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            lock (gate)
                waiting.Remove(request);
        }
    }

    /// <summary>Whether readings from an offset on are to be delivered at once.</summary>
    public bool Wants(long offset) => Volatile.Read(ref target) > offset;

    /// <summary>Cancelled at the next request; take it before asking <see cref="Wants"/>.</summary>
    public CancellationToken Arm()
    {
        lock (gate)
        {
            if (wake.IsCancellationRequested)
                wake = new CancellationTokenSource();
            return wake.Token;
        }
    }

    /// <summary>Completes the waits for what is committed by now.</summary>
    public void Settle()
    {
        lock (gate)
        {
            // Offsets that damage has skipped belong to no reading: then the journal is empty below the target.
            var isEmpty = waiting.Count > 0 && journal.BacklogReadings == 0;
            foreach (var (_, done) in waiting.Where(request => isEmpty || request.Target <= journal.CommittedOffset))
                done.TrySetResult();
        }
    }

    /// <summary>Ends all waits: nothing more is delivered.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            isClosed = true;
            foreach (var (_, done) in waiting)
                done.TrySetException(new ObjectDisposedException(nameof(FlushRequests)));
            wake.Dispose();
        }
    }
}
