namespace ThermalStreaming.Forwarding;

/// <summary>A slot that a replica owns, from its opening until it is closed. Not thread-safe.</summary>
sealed class SlotLease : IDisposable
{
    readonly CancellationTokenSource stop;
    readonly CancellationTokenSource abort;
    readonly TimeSpan budget;

    /// <param name="own">Owns a slot until the first token; gives up what it cannot finish at the second.</param>
    /// <param name="budget">How long it may deliver after it was told to stop.</param>
    /// <param name="stopAll">The replica stops.</param>
    /// <param name="abortAll">The replica stops at once.</param>
    public SlotLease(
        Func<CancellationToken, CancellationToken, Task> own,
        TimeSpan budget,
        CancellationToken stopAll,
        CancellationToken abortAll
    )
    {
        this.budget = budget;
        stop = CancellationTokenSource.CreateLinkedTokenSource(stopAll);
        abort = CancellationTokenSource.CreateLinkedTokenSource(abortAll);
        Ended = own(stop.Token, abort.Token);
    }

    /// <summary>Ends when the slot is closed; if an error ended it, fails with that error.</summary>
    public Task Ended { get; }

    public bool IsClosing { get; private set; }

    /// <summary>Lets the slot finish what it has in hand. Messages that the broker or the journal still hold for it are adopted.</summary>
    public void Close()
    {
        IsClosing = true;
        stop.Cancel();
        abort.CancelAfter(budget);
    }

    public void Dispose()
    {
        stop.Dispose();
        abort.Dispose();
    }
}
