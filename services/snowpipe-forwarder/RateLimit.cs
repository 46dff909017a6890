namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>A token bucket: what one second allows may be spent at once, after that at the rate. Used by one caller at a time.</summary>
sealed class RateLimit
{
    readonly double perSecond;
    readonly TimeProvider clock;
    double available;
    long at;

    public RateLimit(double perSecond, TimeProvider clock)
    {
        this.perSecond = available = perSecond;
        this.clock = clock;
        at = clock.GetTimestamp();
    }

    /// <summary>
    /// Waits until <paramref name="amount"/> may be spent, and spends it. An amount larger than a second's worth waits for a full bucket and leaves a debt.
    /// </summary>
    public async ValueTask TakeAsync(double amount, CancellationToken cancellationToken)
    {
        Refill();
        var missing = Math.Min(amount, perSecond) - available;
        while (missing > 0)
        {
            await Task.Delay(TimeSpan.FromSeconds(missing / perSecond) + TimeSpan.FromMilliseconds(1), clock, cancellationToken);
            Refill();
            missing = Math.Min(amount, perSecond) - available;
        }
        available -= amount;
    }

    void Refill()
    {
        var now = clock.GetTimestamp();
        available = Math.Min(perSecond, available + clock.GetElapsedTime(at, now).TotalSeconds * perSecond);
        at = now;
    }
}
