using System.Buffers;
using System.Runtime.InteropServices;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace ThermalStreaming.Mqtt;

/// <summary>
/// The messages of one connection, from their arrival to their acknowledgement. The reader of the connection posts them, and the consumer
/// acknowledges them from any thread.
/// </summary>
sealed class Arrivals
{
    /// <summary>Bytes of unacknowledged payload at which reading stops: with large messages, fewer than Receive Maximum of them.</summary>
    public const int MaximumUnacknowledgedBytes = 384 * 1024;

    /// <summary>Payloads from this size on come from a pool and go back to it when they are acknowledged.</summary>
    const int PooledPayload = 2048;

    readonly Session session;
    readonly PacketWriter writer;
    readonly long generation;

    // The writer's gate guards these.
    readonly ReceiveWindow window;
    readonly HashSet<ushort> exactlyOnce = [];
    readonly MqttPubAckPacket puback = new();
    int mostUnacknowledged;
    bool isHeld;

    public Arrivals(Session session, PacketWriter writer, long generation)
    {
        this.session = session;
        this.writer = writer;
        this.generation = generation;
        // Mosquitto 2.0 sends more than the Receive Maximum when it holds a backlog (2.0.11: over 4,000 for 1,000; its issue 2301), and
        // everything that was in flight after a reconnect with a lower maximum. Cutting such a connection would only make it send
        // everything again.
        window = new ReceiveWindow(Math.Max(4 * session.Options.ReceiveMaximum, 1000));
    }

    /// <summary>The reader waits until the consumer has acknowledged something.</summary>
    public bool IsHeld => Volatile.Read(ref isHeld);

    /// <summary>
    /// Half of the messages that may be unacknowledged wait for the consumer. Only the broker knows its limit, which may be below the
    /// Receive Maximum; the most messages that ever were unacknowledged never exceed that limit.
    /// </summary>
    public bool IsHalfFull
    {
        get
        {
            lock (writer.Gate)
            {
                return session.Inbox.Waiting >= Math.Min(mostUnacknowledged, session.Options.ReceiveMaximum) / 2
                    || window.Bytes >= MaximumUnacknowledgedBytes / 2;
            }
        }
    }

    /// <summary>Whether one more message may be unacknowledged. For the reader, which holds a message back until then.</summary>
    public bool HasRoom()
    {
        lock (writer.Gate)
            return !(isHeld = !writer.IsClosing && (!window.HasRoom || window.Bytes >= MaximumUnacknowledgedBytes));
    }

    /// <summary>Takes a message for the consumer. With QoS 1 or 2 only if <see cref="HasRoom"/>.</summary>
    public void Post(MqttPublishPacket publish)
    {
        var qos = (MqttQos)publish.QualityOfServiceLevel;
        var length = (int)publish.Payload.Length;
        var place = 0L;
        if (qos > MqttQos.AtMostOnce)
        {
            lock (writer.Gate)
            {
                if (writer.IsClosing)
                    return;
                place = window.Add(publish.PacketIdentifier, qos, length);
                mostUnacknowledged = Math.Max(mostUnacknowledged, window.Count);
            }
        }
        var payload = Rent(length, qos);
        publish.Payload.CopyTo(payload);
        session.Counters.CountReceived();
        session.Inbox.Post(
            new MqttMessage
            {
                Topic = session.Topics.Get(publish.Topic),
                Payload = payload.AsMemory(0, length),
                ContentType = publish.ContentType is { } type ? session.ContentTypes.Get(type) : null,
                Qos = qos,
                Retain = publish.Retain,
                Duplicate = publish.Dup,
                Generation = generation,
                PacketId = publish.PacketIdentifier,
                Arrival = place,
            }
        );
    }

    /// <summary>Acknowledges messages of this connection.</summary>
    /// <param name="messages">In any order; those of another connection are left out.</param>
    /// <param name="readOn">The reader was held and has room now.</param>
    /// <returns>How many of them were not acknowledged before.</returns>
    public int Acknowledge(ReadOnlySpan<MqttMessage> messages, out bool readOn)
    {
        var count = 0;
        var any = false;
        lock (writer.Gate)
        {
            readOn = false;
            if (writer.IsClosing)
                return 0;
            foreach (ref readonly var message in messages)
            {
                if (message.Generation != generation || message.Qos == MqttQos.AtMostOnce || !window.Done(message.Arrival))
                    continue;
                count++;
                Return(message.Payload);
            }
            while (window.TryTakeDone(out var id, out var isExactlyOnce))
            {
                any = true;
                if (isExactlyOnce)
                {
                    writer.TryAdd(new MqttPubRecPacket { PacketIdentifier = id });
                    exactlyOnce.Add(id);
                    continue;
                }
                puback.PacketIdentifier = id;
                writer.TryAdd(puback);
            }
            readOn = any && isHeld;
        }
        if (any)
            writer.Wake();
        return count;
    }

    /// <summary>Answers PUBREL. Only a session that someone else subscribed with QoS 2 gets these. Such messages are handed over at least
    /// once and then taken through the rest of the handshake (§4.3.3).</summary>
    public void Release(MqttPubRelPacket pubrel)
    {
        lock (writer.Gate)
        {
            var known = exactlyOnce.Remove(pubrel.PacketIdentifier);
            writer.TryAdd(
                new MqttPubCompPacket
                {
                    PacketIdentifier = pubrel.PacketIdentifier,
                    ReasonCode = known ? MqttPubCompReasonCode.Success : MqttPubCompReasonCode.PacketIdentifierNotFound,
                }
            );
        }
        writer.Wake();
    }

    /// <summary>
    /// Many large payloads would fill the youngest generation and push messages in flight into older ones: 5 MB more in a busy service.
    /// Small payloads are too many for a pool to keep.
    /// </summary>
    static byte[] Rent(int length, MqttQos qos) =>
        qos > MqttQos.AtMostOnce && length >= PooledPayload
            ? ArrayPool<byte>.Shared.Rent(length)
            : GC.AllocateUninitializedArray<byte>(length);

    /// <summary>Returns the payload of a message that has just been acknowledged for the first time, on the connection that it came by. All
    /// other payloads are left to the collector.</summary>
    static void Return(ReadOnlyMemory<byte> payload)
    {
        if (payload.Length >= PooledPayload && MemoryMarshal.TryGetArray(payload, out var rented))
            ArrayPool<byte>.Shared.Return(rented.Array!);
    }
}
