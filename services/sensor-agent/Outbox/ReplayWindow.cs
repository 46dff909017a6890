namespace ThermalStreaming.SensorAgent;

/// <summary>
/// Decides when the outbox may forget an acknowledged reading. The broker's PUBACK means that it is in the broker's memory; it is safe once
/// the broker has stayed up for longer than its save interval afterwards. So an offset is released when the connection on which it was
/// acknowledged has lasted for the window since. After a lost connection, the time starts again with the repeated acknowledgement, however
/// long the outage was.
/// </summary>
/// <remarks>
/// If no connection lasted that long, everything would be held for ever and repeated at each reconnect, more each time. Therefore an offset
/// is also released after <see cref="Patience"/> windows of connected time since its first acknowledgement. Thread-safe.
/// </remarks>
sealed class ReplayWindow(TimeSpan window, TimeProvider clock)
{
    const int Patience = 12;

    /// <summary>Marks per window; an offset is held for up to a thirtieth of the window longer than asked.</summary>
    const int Resolution = 30;

    readonly Lock gate = new();
    readonly Queue<(long Offset, TimeSpan At)> thisConnection = new();
    readonly Queue<(long Offset, TimeSpan At)> first = new();
    long acknowledged;
    long lastFirst;
    TimeSpan lastThisAt;
    TimeSpan lastFirstAt;
    TimeSpan connectedBefore;
    long connectedSince;
    bool connected;

    public void Connected()
    {
        lock (gate)
        {
            connected = true;
            connectedSince = clock.GetTimestamp();
            thisConnection.Clear();
            acknowledged = 0;
            lastThisAt = TimeSpan.MinValue;
        }
    }

    public void Lost()
    {
        lock (gate)
        {
            connectedBefore = ConnectedTime;
            connected = false;
            thisConnection.Clear();
        }
    }

    /// <summary>Everything below <paramref name="offset"/> is acknowledged on this connection.</summary>
    /// <returns>The offset below which everything may be forgotten; null if nothing changed.</returns>
    public long? Acknowledged(long offset)
    {
        lock (gate)
        {
            acknowledged = Math.Max(acknowledged, offset);
            return Release(window);
        }
    }

    /// <summary>
    /// Releases without a new acknowledgement. An acknowledgement would have shown that the connection lives, so everything is held for
    /// <paramref name="margin"/> longer, within which a dead connection is noticed.
    /// </summary>
    /// <returns>The offset below which everything may be forgotten; null if nothing changed.</returns>
    public long? Idle(TimeSpan margin)
    {
        lock (gate)
            return connected && acknowledged > 0 ? Release(window + margin) : null;
    }

    long? Release(TimeSpan held)
    {
        var now = ConnectedTime;
        // A mark has the time at which it is made, never that of an earlier acknowledgement: it may hold a reading longer, not shorter.
        if (lastThisAt == TimeSpan.MinValue || now - lastThisAt >= window / Resolution)
        {
            thisConnection.Enqueue((acknowledged, now));
            lastThisAt = now;
        }
        if (acknowledged > lastFirst && (first.Count == 0 || now - lastFirstAt >= window / Resolution))
        {
            first.Enqueue((acknowledged, now));
            (lastFirst, lastFirstAt) = (acknowledged, now);
        }
        var released = Release(thisConnection, now - held);
        return Max(released, Release(first, now - held * Patience));
    }

    TimeSpan ConnectedTime => connected ? connectedBefore + clock.GetElapsedTime(connectedSince) : connectedBefore;

    static long? Max(long? left, long? right) =>
        left is null ? right
        : right is null || left > right ? left
        : right;

    long? Release(Queue<(long Offset, TimeSpan At)> marks, TimeSpan before)
    {
        long? released = null;
        while (marks.TryPeek(out var mark) && mark.At <= before && mark.Offset <= acknowledged)
        {
            released = mark.Offset;
            marks.Dequeue();
        }
        return released;
    }
}
