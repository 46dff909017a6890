using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// Repeats an action every second for as long as the disk refuses it. Meanwhile a part of the service is reported as unwell in
/// <c>/readyz</c>. Thread-safe.
/// </summary>
/// <param name="part">Name of the part that waits.</param>
/// <param name="health">Gets the problem, and its end.</param>
/// <param name="clock">Tells the time and makes timers.</param>
sealed class Persistently(string part, Health health, TimeProvider clock)
{
    /// <summary>The wait between two attempts.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>What <c>/readyz</c> says about an error.</summary>
    public Func<Exception, string> Explain { get; init; } = e => $"{e.Message.TrimEnd('.')}. Retrying every second.";

    /// <summary>Called with the reason of a refusal, unless the attempt before was refused for the same reason.</summary>
    public Action<string>? OnRefused { get; init; }

    /// <summary>
    /// Makes the error to throw when the first attempt fails because of a wrong setting, which waiting does not fix. Null: waits on every
    /// error of the file system.
    /// </summary>
    public Func<Exception, Exception>? ToSettingError { get; init; }

    /// <summary>Whether <c>/readyz</c> also lists the part once the action has succeeded, and not only while it waits.</summary>
    public bool IsAlwaysListed { get; init; }

    /// <summary>Does the action until it succeeds.</summary>
    /// <param name="action">May be done any number of times.</param>
    /// <param name="stop">Ends the wait.</param>
    /// <exception cref="OperationCanceledException">Asked to stop while the disk refused.</exception>
    public async Task<T> DoAsync<T>(Func<ValueTask<T>> action, CancellationToken stop)
    {
        string? reason = null;
        while (true)
        {
            try
            {
                var result = await action();
                if (IsAlwaysListed)
                    health.Well(part);
                else if (reason is not null)
                    health.Forget(part);
                return result;
            }
            catch (Exception e) when (DiskError.IsFileProblem(e))
            {
                if (reason is null && ToSettingError is not null && DiskError.IsSetting(e))
                    throw ToSettingError(e);
                if (reason != e.Message)
                    OnRefused?.Invoke(e.Message);
                reason = e.Message;
                health.Unwell(part, Explain(e));
                // The action itself has waited for the ledger's lock.
                if (e is LedgerHeldException)
                    continue;
            }

            await Task.Delay(Interval, clock, stop);
        }
    }

    /// <inheritdoc cref="DoAsync{T}"/>
    public Task DoAsync(Action action, CancellationToken stop) =>
        DoAsync(
            () =>
            {
                action();
                return ValueTask.FromResult(true);
            },
            stop
        );
}
