namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>
/// Keeps what is spent within any one second to a limit. A window and not a bucket: a bucket lets twice its rate through after a pause,
/// which the server would refuse. Used by one caller at a time.
/// </summary>
sealed class RateLimit(double perSecond, TimeProvider clock)
{
    /// <summary>A little more than a second: requests do not arrive as evenly as they leave.</summary>
    internal static readonly TimeSpan Window = TimeSpan.FromMilliseconds(1050);

    readonly Queue<(long At, double Amount)> spent = [];
    double sum;

    /// <summary>
    /// Waits until <paramref name="amount"/> may be spent, and spends it. An amount larger than the limit waits until nothing else is in
    /// the window.
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
        // Rounding must not pile up.
        sum = spent.Count == 0 ? amount : sum + amount;
        spent.Enqueue((clock.GetTimestamp(), amount));
    }
}
