namespace ThermalStreaming.Journal;

/// <summary>Wakes readers when something has changed. Thread-safe.</summary>
sealed class ChangeSignal
{
    readonly Lock gate = new();
    TaskCompletionSource? changed;
    long version;
    bool isClosed;

    /// <summary>How many changes there have been.</summary>
    public long Version
    {
        get
        {
            lock (gate)
                return version;
        }
    }

    /// <summary>Ends all waits.</summary>
    public void Raise()
    {
        lock (gate)
        {
            version++;
            changed?.TrySetResult();
            changed = null;
        }
    }

    /// <summary>Ends all waits, now and from now on.</summary>
    public void Close()
    {
        lock (gate)
            isClosed = true;
        Raise();
    }

    /// <summary>Waits until there has been a change after a version.</summary>
    /// <returns>False once the signal is closed.</returns>
    public async ValueTask<bool> WaitAsync(long seen, CancellationToken cancellationToken)
    {
        Task wait;
        lock (gate)
        {
            if (isClosed)
                return false;
            if (version != seen)
                return true;
            wait = (changed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }

        await wait.WaitAsync(cancellationToken);
        lock (gate)
            return !isClosed;
    }
}
