namespace ThermalStreaming.SensorAgent;

/// <summary>
/// Ticks at a steady rate in monotonic time: steps of the wall clock do not affect it, and a late tick does not delay the ticks after it.
/// Not thread-safe.
/// </summary>
/// <param name="first">Time until the first tick.</param>
/// <param name="interval">Time between two ticks.</param>
/// <param name="patience">How far it may fall behind and still catch up tick by tick. Further behind, missed ticks are skipped.</param>
/// <param name="clock">Where time comes from.</param>
sealed class Cadence(TimeSpan first, TimeSpan interval, TimeSpan patience, TimeProvider clock)
{
    readonly long start = clock.GetTimestamp();
    TimeSpan next = first;

    /// <summary>Completes when the next tick is due, or at once when it is overdue.</summary>
    public Task WaitAsync(CancellationToken cancellationToken)
    {
        var now = clock.GetElapsedTime(start);
        var wait = next - now;
        if (wait < -patience)
        {
            // Keep the phase: the next whole interval from now.
            next += Math.Ceiling((now - next) / interval) * interval;
            wait = next - now;
        }
        next += interval;
        if (wait > TimeSpan.Zero)
            return Task.Delay(wait, clock, cancellationToken);
        return cancellationToken.IsCancellationRequested ? Task.FromCanceled(cancellationToken) : Task.CompletedTask;
    }
}
