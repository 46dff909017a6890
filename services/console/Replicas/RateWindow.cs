namespace ThermalStreaming.Console;

/// <summary>How fast a counter grows, over a moving window. Not thread-safe.</summary>
/// <param name="clock">Where time comes from.</param>
/// <param name="length">Length of the window.</param>
sealed class RateWindow(TimeProvider clock, TimeSpan length)
{
    readonly Queue<(long At, ulong Count)> points = [];

    /// <summary>Records the counter's value. A counter that restarts begins a new window.</summary>
    /// <returns>Growth per second; 0 at the first call.</returns>
    public double Add(ulong count)
    {
        var now = clock.GetTimestamp();
        if (points.Count > 0 && points.Last().Count > count)
            points.Clear();
        while (points.Count > 1 && clock.GetElapsedTime(points.Peek().At, now) > length)
            points.Dequeue();
        points.Enqueue((now, count));
        var first = points.Peek();
        var seconds = clock.GetElapsedTime(first.At, now).TotalSeconds;
        return seconds > 0 ? (count - first.Count) / seconds : 0;
    }
}
