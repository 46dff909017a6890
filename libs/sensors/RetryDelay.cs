namespace ThermalStreaming.Sensors;

/// <summary>A wait that doubles after each failure, up to a limit. Not thread-safe.</summary>
/// <param name="first">The wait after the first failure.</param>
/// <param name="ceiling">The longest wait.</param>
sealed class RetryDelay(TimeSpan first, TimeSpan ceiling)
{
    TimeSpan? next;

    /// <summary>How long to wait now.</summary>
    public TimeSpan Next()
    {
        var wait = next ?? first;
        next = wait * 2 < ceiling ? wait * 2 : ceiling;
        return wait;
    }

    /// <summary>Call it after a success: the next wait is the first again.</summary>
    public void Reset() => next = null;
}
