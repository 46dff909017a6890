namespace ThermalStreaming.Thermalctl;

/// <summary>State of one replica in <c>top</c>. Not thread-safe.</summary>
sealed class TopRow
{
    readonly Queue<(long At, DateTimeOffset StartedAt, ulong Readings)> counts = [];
    double? rate;

    /// <summary>The newest answer, or why there is none.</summary>
    public ReplicaStatus Latest { get; private set; } = null!;

    /// <summary>When it was last found.</summary>
    public long SeenAt { get; private set; }

    public bool IsGone { get; set; }

    /// <summary>The row to display, under the name that the replica once gave, with a measured rate.</summary>
    public ReplicaStatus Shown => Latest with { IsGone = IsGone, MeasuredRate = Latest.Agent is null || IsGone ? null : rate };

    public void Take(ReplicaStatus answer, long now, TimeProvider clock, TimeSpan window)
    {
        // A replica that stops answering keeps its name and last figures; its state says that they are old.
        Latest = answer.Info is null && Latest?.Info is not null ? Latest with { Problem = answer.Problem } : answer;
        (SeenAt, IsGone) = (now, false);
        if (answer is not { Readings: { } readings, Info.StartedAt: { } start })
            return;
        var startedAt = start.ToDateTimeOffset();
        while (counts.TryPeek(out var oldest) && (oldest.StartedAt != startedAt || clock.GetElapsedTime(oldest.At, now) > window))
            counts.Dequeue();
        if (
            counts.TryPeek(out var from)
            && clock.GetElapsedTime(from.At, now) is { TotalSeconds: > 0.5 } passed
            && readings >= from.Readings
        )
            rate = (readings - from.Readings) / passed.TotalSeconds;
        else if (counts.Count == 0)
            rate = null;
        counts.Enqueue((now, startedAt, readings));
    }
}
