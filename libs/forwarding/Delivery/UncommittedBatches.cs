namespace ThermalStreaming.Forwarding;

/// <summary>
/// The batches that the destination has accepted and not committed: when they are committed, counts their readings and the time since the
/// first attempt to send them. Not thread-safe.
/// </summary>
sealed class UncommittedBatches(ForwarderMetrics metrics, TimeProvider clock)
{
    readonly Queue<(long End, int Count, long Began)> accepted = [];
    long? began;

    /// <summary>A batch is about to be sent, for the first time or again.</summary>
    public void Attempt() => began ??= clock.GetTimestamp();

    /// <summary>The destination has accepted the batch.</summary>
    /// <param name="end">One past its last offset.</param>
    /// <param name="count">Its readings.</param>
    public void Accepted(long end, int count)
    {
        accepted.Enqueue((end, count, began ?? clock.GetTimestamp()));
        began = null;
    }

    /// <summary>The destination has committed everything before an offset.</summary>
    /// <param name="to">One past the last offset that is committed.</param>
    public void Committed(long to)
    {
        while (accepted.TryPeek(out var batch) && batch.End <= to)
        {
            accepted.Dequeue();
            metrics.Committed(batch.Count, clock.GetElapsedTime(batch.Began));
        }
    }

    /// <summary>The destination was opened again: readings that it had accepted and not committed are sent again, in other
    /// batches.</summary>
    public void Forget()
    {
        began = null;
        accepted.Clear();
    }
}
