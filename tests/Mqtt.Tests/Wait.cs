namespace ThermalStreaming.Mqtt.Tests;

/// <summary>Waits on conditions, with a ceiling that only a failing test reaches.</summary>
static class Wait
{
    public static readonly TimeSpan Ceiling = TimeSpan.FromSeconds(30);

    public static async Task UntilAsync(Func<bool> condition, string what, Func<string?>? detail = null)
    {
        var clock = TimeProvider.System;
        var start = clock.GetTimestamp();
        while (!condition())
        {
            if (clock.GetElapsedTime(start) > Ceiling)
                throw new TimeoutException($"Waited {Ceiling.TotalSeconds} s in vain until {what}. {detail?.Invoke()}");
            await Task.Delay(TimeSpan.FromMilliseconds(5), clock);
        }
    }

    public static Task<T> Within<T>(this Task<T> task) => task.WaitAsync(Ceiling, TimeProvider.System);

    public static Task Within(this Task task) => task.WaitAsync(Ceiling, TimeProvider.System);
}
