namespace ThermalStreaming.Pipeline.Tests;

/// <summary>Waits on conditions, with a ceiling that only a failing test reaches.</summary>
static class Until
{
    static readonly TimeProvider clock = TimeProvider.System;

    /// <summary>Asks until <paramref name="condition"/> is true. An answer that fails on the way there counts as no.</summary>
    /// <param name="what">Completes "Waited … in vain until".</param>
    /// <param name="ceiling">When to give up.</param>
    /// <param name="condition">What to wait for.</param>
    /// <param name="explain">How things stand, for the failure.</param>
    public static async Task TrueAsync(string what, TimeSpan ceiling, Func<Task<bool>> condition, Func<string>? explain = null)
    {
        var started = clock.GetTimestamp();
        Exception? last = null;
        while (true)
        {
            try
            {
                if (await condition())
                    return;
                last = null;
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException or IOException)
            {
                last = e;
            }
            if (clock.GetElapsedTime(started) > ceiling)
            {
                throw new TimeoutException(
                    $"Waited {ceiling.TotalSeconds} s in vain until {what}. "
                        + $"{explain?.Invoke()}{(last is null ? "" : $" The last answer was: {last.Message}")}",
                    last
                );
            }
            await PauseAsync(TimeSpan.FromMilliseconds(250));
        }
    }

    /// <summary>For faults that last for a time, and rates; never to hope that something has happened.</summary>
    public static Task PauseAsync(TimeSpan time, CancellationToken cancellationToken = default) =>
        Task.Delay(time, clock, cancellationToken);
}
