namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>
/// Limits the amount spent within any one second. A sliding window, not a bucket: after a pause a bucket lets twice its rate through, which
/// the server would refuse. Used by one caller at a time.
/// </summary>
sealed class RateLimit(double perSecond, TimeProvider clock)
{
    /// <summary>A little more than a second: requests do not arrive as evenly as they leave.</summary>
    internal static readonly TimeSpan Window = TimeSpan.FromMilliseconds(1050);

    readonly Queue<(long At, double Amount)> spent = [];
    double sum;

    /// <summary>
    /// Waits until <paramref name="amount"/> may be spent, and spends it. An amount larger than the limit waits until the window is empty.
    /// </summary>
    public async ValueTask TakeAsync(double amount, CancellationToken cancellationToken)
    {
        while (true)
        {
            while (spent.TryPeek(out var gone) && clock.GetElapsedTime(gone.At) >= Window)
                sum -= spent.Dequeue().Amount;
            if (!spent.TryPeek(out var oldest) || sum + amount <= perSecond)
                break;
            await Task.Delay(Window - clock.GetElapsedTime(oldest.At) + TimeSpan.FromMilliseconds(1), clock, cancellationToken);
        }
        // So that rounding errors do not accumulate.
        sum = spent.Count == 0 ? amount : sum + amount;
        spent.Enqueue((clock.GetTimestamp(), amount));
    }
}
