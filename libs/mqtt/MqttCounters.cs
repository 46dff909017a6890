namespace ThermalStreaming.Mqtt;

/// <summary>Totals since the client was made. Each may be read at any time.</summary>
public sealed class MqttCounters
{
    long received;
    long acknowledged;
    long staleAcknowledgements;
    long connections;
    long bytesReceived;
    long bytesSent;

    /// <summary>Messages received, repeats included.</summary>
    public long Received => Volatile.Read(ref received);

    /// <summary>Messages acknowledged by the consumer while their connection was up.</summary>
    public long Acknowledged => Volatile.Read(ref acknowledged);

    /// <summary>Acknowledgements that came after the message's connection had ended; the broker sends those messages again.</summary>
    public long StaleAcknowledgements => Volatile.Read(ref staleAcknowledgements);

    /// <summary>Connections made. Reconnects are one less.</summary>
    public long Connections => Volatile.Read(ref connections);

    public long BytesReceived => Volatile.Read(ref bytesReceived);

    public long BytesSent => Volatile.Read(ref bytesSent);

    // The reader and the writer are each one thread at a time, so these need no interlocked add.
    internal void CountReceived() => Volatile.Write(ref received, received + 1);

    internal void AddReceived(int bytes) => Volatile.Write(ref bytesReceived, bytesReceived + bytes);

    internal void AddSent(int bytes) => Volatile.Write(ref bytesSent, bytesSent + bytes);

    internal void CountConnection() => Volatile.Write(ref connections, connections + 1);

    internal void CountAcknowledged(int count, int stale)
    {
        Interlocked.Add(ref acknowledged, count);
        if (stale > 0)
            Interlocked.Add(ref staleAcknowledgements, stale);
    }
}
