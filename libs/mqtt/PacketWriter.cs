using MQTTnet.Packets;

namespace ThermalStreaming.Mqtt;

/// <summary>
/// Sends packets on one connection. During a write, packets gather for the next one: acknowledgements, pings, subscriptions, publishes.
/// Thread-safe.
/// </summary>
sealed class PacketWriter(Stream stream, Session session, KeepAlive keepAlive)
{
    const int SendAtOnce = 64 * 1024;

    readonly AsyncSignal wake = new();

    // Guarded by Gate, except sending, which belongs to the loop between two swaps.
    PacketBuffer output = new();
    PacketBuffer sending = new();
    bool isPingToSend;
    bool isClosing;

    /// <summary>Guards the order of what is sent. Hold it to add several packets that belong together.</summary>
    public Lock Gate { get; } = new();

    /// <summary>No more packets are taken.</summary>
    public bool IsClosing => Volatile.Read(ref isClosing);

    /// <summary>Makes the loop check for packets, publishes and subscriptions to send.</summary>
    public void Wake() => wake.Set();

    /// <summary>Adds a packet. It is sent after the next <see cref="Wake"/> at the latest.</summary>
    /// <returns>False when the writer closes: the packet will not be sent.</returns>
    public bool TryAdd(MqttPacket packet)
    {
        lock (Gate)
        {
            if (isClosing)
                return false;
            output.Add(packet);
            return true;
        }
    }

    /// <summary>Sends a ping, unless one is waiting to be sent.</summary>
    public void Ping()
    {
        lock (Gate)
        {
            if (isPingToSend || !TryAdd(MqttPingReqPacket.Instance))
                return;
            isPingToSend = true;
        }
        Wake();
    }

    /// <summary>Lets <see cref="RunAsync"/> send what has gathered and then end.</summary>
    /// <param name="goodbye">Adds the last packet. Not called if the writer is already closing.</param>
    public void Close(Action<PacketBuffer>? goodbye = null)
    {
        lock (Gate)
        {
            if (!isClosing)
                goodbye?.Invoke(output);
            isClosing = true;
        }
        Wake();
    }

    /// <summary>Sends until <see cref="Close"/>.</summary>
    public async Task RunAsync()
    {
        while (true)
        {
            bool isLast;
            lock (Gate)
            {
                (output, sending) = (sending, output);
                isLast = isClosing;
                if (isPingToSend)
                    keepAlive.PingSent();
                isPingToSend = false;
            }
            if (!isLast)
            {
                session.Subscriptions.Fill(sending);
                session.Store.Fill(sending, SendAtOnce);
            }
            var wrote = sending.Length > 0;
            await WriteAsync(sending.Written);
            sending.Clear();
            if (isLast)
                return;
            if (!wrote)
                await wake.WaitAsync();
        }
    }

    /// <summary>Writes in pieces, so that a large message on a slow line shows progress and is not taken for a stall.</summary>
    async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var piece = bytes[..Math.Min(SendAtOnce, bytes.Length)];
            keepAlive.BeginWrite();
            await stream.WriteAsync(piece);
            session.Counters.AddSent(piece.Length);
            keepAlive.EndWrite();
            bytes = bytes[piece.Length..];
        }
    }
}
