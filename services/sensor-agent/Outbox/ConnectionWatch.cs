namespace ThermalStreaming.SensorAgent;

/// <summary>Turns the client's connection events into a state that others can await. Thread-safe.</summary>
sealed class ConnectionWatch : IDisposable
{
    readonly Lock gate = new();
    long generation;
    CancellationTokenSource? current;
    TaskCompletionSource<CancellationToken> up = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="now">Number of the current connection; 0 for none.</param>
    public void Change(long now)
    {
        CancellationTokenSource? lost = null;
        lock (gate)
        {
            if (now == generation)
                return;
            if (generation != 0)
            {
                (lost, current) = (current, null);
                up = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }
            generation = now;
            if (now != 0)
            {
                current = new CancellationTokenSource();
                up.TrySetResult(current.Token);
            }
        }
        // Cancels what was published on it before the client can connect again.
        lost?.Cancel();
    }

    /// <summary>Waits for a connection.</summary>
    /// <returns>A token that is cancelled when the connection is lost.</returns>
    public Task<CancellationToken> WaitAsync(CancellationToken cancellationToken)
    {
        lock (gate)
            return up.Task.WaitAsync(cancellationToken);
    }

    public void Dispose() => current?.Dispose();
}
