using System.Threading.Tasks.Sources;

namespace ThermalStreaming.Mqtt;

/// <summary>
/// Wakes one waiting loop. Signals that come before the next wait count as one. Waiting does not allocate. The loop continues on the
/// thread pool, never inside <see cref="Set"/>.
/// </summary>
sealed class AsyncSignal : IValueTaskSource
{
    readonly Lock gate = new();
    ManualResetValueTaskSourceCore<bool> core = new() { RunContinuationsAsynchronously = true };
    bool isSet;
    bool isWaiting;

    public void Set()
    {
        lock (gate)
        {
            if (!isWaiting)
            {
                isSet = true;
                return;
            }
            isWaiting = false;
        }
        core.SetResult(true);
    }

    /// <summary>Forgets a signal that came before any wait.</summary>
    public void Reset()
    {
        lock (gate)
            isSet = false;
    }

    /// <summary>For one waiter at a time.</summary>
    public ValueTask WaitAsync()
    {
        lock (gate)
        {
            if (isSet)
            {
                isSet = false;
                return ValueTask.CompletedTask;
            }
            core.Reset();
            isWaiting = true;
            return new ValueTask(this, core.Version);
        }
    }

    void IValueTaskSource.GetResult(short token) => core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        core.OnCompleted(continuation, state, token, flags);
}
