namespace ThermalStreaming.Mqtt;

/// <summary>
/// Notices that another client keeps connecting with the same client id. Each time, the broker gives it the session and ends our
/// connection; each time we reconnect, it loses its own. Both half work, and neither fails for long. Not thread-safe, except
/// <see cref="AreThere"/>.
/// </summary>
sealed class Rivals(TimeProvider clock)
{
    /// <summary>
    /// A restart that overlaps with the end of the old process, or a change of network, takes a session over once or twice.
    /// </summary>
    const int Several = 3;

    readonly Queue<long> takeovers = new();

    /// <summary>A session that was not taken over for this long no longer has a rival.</summary>
    public static readonly TimeSpan Memory = TimeSpan.FromMinutes(5);

    /// <summary>The session was taken over three times in the last five minutes.</summary>
    public bool AreThere { get; private set; }

    /// <summary>The broker said that the session was taken over.</summary>
    public void TookOver()
    {
        takeovers.Enqueue(clock.GetTimestamp());
        Look();
    }

    /// <summary>Forgets takeovers that are too old.</summary>
    public void Look()
    {
        while (takeovers.TryPeek(out var at) && clock.GetElapsedTime(at) >= Memory)
            takeovers.Dequeue();
        AreThere = takeovers.Count >= Several;
    }
}
