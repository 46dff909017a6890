using Microsoft.Extensions.Logging;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding;

/// <summary>Repeats what a disk refuses now, says so in the log once and in <c>/readyz</c> meanwhile. Thread-safe.</summary>
sealed partial class Persistently(Health health, TimeProvider clock, ILogger logger)
{
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <param name="part">The part of the service that waits.</param>
    /// <param name="action">What to do.</param>
    /// <param name="asSetting">Makes an error of what waiting cannot change, when it fails that way at the first attempt.</param>
    /// <param name="stop">Ends the wait.</param>
    /// <exception cref="OperationCanceledException">The wait was ended.</exception>
    public async Task<T> DoAsync<T>(string part, Func<T> action, Func<Exception, Exception> asSetting, CancellationToken stop)
    {
        string? failing = null;
        while (true)
        {
            try
            {
                var result = action();
                if (failing is not null)
                    health.Forget(part);
                return result;
            }
            catch (Exception e) when (DiskError.IsFileProblem(e))
            {
                if (failing is null && DiskError.IsSetting(e))
                    throw asSetting(e);
                if (failing != e.Message)
                    LogRefused(part, e.Message);
                failing = e.Message;
                health.Unwell(part, $"{e.Message.TrimEnd('.')}. It is tried again every second.");
            }
            await PauseAsync(stop);
        }
    }

    /// <exception cref="OperationCanceledException">Asked to stop.</exception>
    public Task PauseAsync(CancellationToken stop) => Task.Delay(Pause, clock, stop);

    [LoggerMessage(EventId = 147, Level = LogLevel.Error, Message = "The disk does not let this service start ({Part}): {Reason}. It is tried again every second")]
    partial void LogRefused(string part, string reason);
}
