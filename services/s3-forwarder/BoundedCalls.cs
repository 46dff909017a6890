namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// Runs calls of the SDK so that they end by their deadline, even if the SDK blocks the calling thread or ignores its token. Thread-safe.
/// </summary>
sealed class BoundedCalls(TimeProvider clock)
{
    /// <summary>Each call that never returns holds a thread and a body; beyond this many, no new call begins.</summary>
    internal const int MostAbandoned = 8;

    int abandoned;

    /// <summary>How long a call may take to end by itself after its cancellation, before it is abandoned. Always real time.</summary>
    internal TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(2);

    /// <exception cref="TimeoutException">The deadline has passed, or too many earlier calls have never returned.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was requested.</exception>
    public async Task<T> RunAsync<T>(Func<CancellationToken, Task<T>> call, TimeSpan within, CancellationToken stop)
    {
        if (Volatile.Read(ref abandoned) >= MostAbandoned)
            throw new TimeoutException($"{MostAbandoned} earlier requests have never returned; restart the service if this repeats");
        using var deadline = new CancellationTokenSource(within, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, deadline.Token);
        var token = either.Token;
        var running = Task.Run(() => call(token), CancellationToken.None);
        try
        {
            return await running.WaitAsync(token);
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            await EndAsync(running);
            stop.ThrowIfCancellationRequested();
            throw new TimeoutException(FormattableString.Invariant($"no answer within {within.TotalSeconds:0} s"));
        }
    }

    async Task EndAsync(Task running)
    {
        await Task.WhenAny(running, Task.Delay(Grace, TimeProvider.System, CancellationToken.None));
        // Counted even if it has just ended: the count goes down again at once.
        Interlocked.Increment(ref abandoned);
        _ = running.ContinueWith(
            ended =>
            {
                // Observed here, so that the runtime does not report it as unobserved.
                _ = ended.Exception;
                Interlocked.Decrement(ref abandoned);
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default
        );
    }
}
