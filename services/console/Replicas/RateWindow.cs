namespace ThermalStreaming.Console;

/// <summary>How fast a counter grows, over a time that moves along. Not thread-safe.</summary>
/// <param name="clock">Where time comes from.</param>
/// <param name="length">Over how long.</param>
sealed class RateWindow(TimeProvider clock, TimeSpan length)
{
    readonly Queue<(long At, ulong Count)> points = [];

    /// <summary>Notes where the counter stands. A counter that starts again begins a new window.</summary>
    /// <returns>A second; 0 at the first call.</returns>
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
