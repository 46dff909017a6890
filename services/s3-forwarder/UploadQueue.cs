namespace ThermalStreaming.S3Forwarder;

/// <summary>Runs uploads, up to a limit at once. After the first failure no other begins; running ones may end.</summary>
sealed class UploadQueue(int most, CancellationToken cancellationToken) : IDisposable
{
    readonly SemaphoreSlim free = new(most);
    readonly CancellationTokenSource noMore = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    readonly List<Task> running = [];
    Exception? failure;

    /// <summary>The first failure.</summary>
    public Exception? Failure => Volatile.Read(ref failure);

    /// <summary>Starts an upload as soon as the limit allows. Not for concurrent calls.</summary>
    /// <exception cref="OperationCanceledException">Another upload has failed, or the caller cancelled. This one did not begin.</exception>
    public async Task StartAsync(Func<Task> upload)
    {
        await free.WaitAsync(noMore.Token);
        if (noMore.IsCancellationRequested)
        {
            free.Release();
            noMore.Token.ThrowIfCancellationRequested();
        }
        running.RemoveAll(task => task.IsCompleted);
        running.Add(RunAsync(upload));
    }

    /// <summary>Completes, never with an exception, when no upload is running.</summary>
    public Task SettleAsync() => Task.WhenAll(running);

    public void Dispose()
    {
        free.Dispose();
        noMore.Dispose();
    }

    async Task RunAsync(Func<Task> upload)
    {
        try
        {
            await upload();
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref failure, e, null);
            await noMore.CancelAsync();
        }
        finally
        {
            free.Release();
        }
    }
}
