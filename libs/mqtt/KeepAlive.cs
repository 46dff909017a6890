namespace ThermalStreaming.Mqtt;

/// <summary>
/// Knows when a ping is due (§3.1.2.10) and when a connection is dead: nothing comes although something must, or a write makes no progress.
/// Thread-safe.
/// </summary>
/// <param name="period">The keep-alive in use, at least a second.</param>
/// <param name="clock">Where time comes from.</param>
sealed class KeepAlive(TimeSpan period, TimeProvider clock)
{
    // Timestamps; 0 stands for "not now".
    long lastReceived = clock.GetTimestamp();
    long lastSent = clock.GetTimestamp();
    long writeStarted;
    long pingSent;

    /// <summary>How often to call <see cref="IsPingDue"/>.</summary>
    public TimeSpan Interval { get; } = period / 8 < TimeSpan.FromSeconds(1) ? period / 8 : TimeSpan.FromSeconds(1);

    /// <summary>Something came from the broker.</summary>
    public void Received() => Volatile.Write(ref lastReceived, clock.GetTimestamp());

    /// <summary>A write begins.</summary>
    public void BeginWrite() => Volatile.Write(ref writeStarted, clock.GetTimestamp());

    /// <summary>The write has ended.</summary>
    public void EndWrite()
    {
        Volatile.Write(ref lastSent, clock.GetTimestamp());
        Volatile.Write(ref writeStarted, 0);
    }

    /// <summary>A ping is about to go out. An older ping's time keeps counting: only <see cref="PingAnswered"/> clears it.</summary>
    public void PingSent()
    {
        if (Volatile.Read(ref pingSent) == 0)
            Volatile.Write(ref pingSent, clock.GetTimestamp());
    }

    /// <summary>PINGRESP came.</summary>
    public void PingAnswered() => Volatile.Write(ref pingSent, 0);

    /// <summary>Whether to send a ping now.</summary>
    /// <param name="isListening">False while the reader waits for the consumer: then silence says nothing.</param>
    /// <exception cref="MqttConnectionException">The connection is dead. The message says why, as the end of a sentence.</exception>
    public bool IsPingDue(bool isListening)
    {
        var writing = Volatile.Read(ref writeStarted);
        if (writing != 0 && clock.GetElapsedTime(writing) > period)
        {
            throw new MqttConnectionException(
                $"the broker has taken no data for {period.TotalSeconds:0} s. Check the network and the load of the broker."
            );
        }
        var half = period / 2;
        var received = Volatile.Read(ref lastReceived);
        var pinged = Volatile.Read(ref pingSent);
        if (!isListening)
            Received();
        // While a write is under way, its progress decides.
        else if (writing == 0 && pinged != 0 && clock.GetElapsedTime(Math.Max(pinged, received)) > half)
        {
            var silence = clock.GetElapsedTime(received).TotalSeconds;
            throw new MqttConnectionException(
                $"the broker has sent nothing for {silence:0.#} s, not even an answer to a ping. Check the network."
            );
        }
        return clock.GetElapsedTime(Volatile.Read(ref lastSent)) >= half || (pinged == 0 && clock.GetElapsedTime(received) >= half);
    }
}
