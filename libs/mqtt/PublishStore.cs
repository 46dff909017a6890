using System.Buffers;
using System.Text;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace ThermalStreaming.Mqtt;

/// <summary>
/// Messages to publish, in order: waiting, or sent and not yet acknowledged. The store outlives connections: after a reconnect, messages in
/// flight go out again first, with their packet identifier and DUP if the broker kept the session (§4.4). If not, they go out as new,
/// unless their sender has cancelled them. Thread-safe.
/// </summary>
sealed class PublishStore(int maximumInFlight)
{
    readonly Lock gate = new();
    readonly LinkedList<Publish> waiting = new();
    readonly LinkedList<Publish> inFlight = new();
    readonly Dictionary<ushort, LinkedListNode<Publish>> byId = [];
    readonly HashSet<ushort> usedIds = [];
    ushort lastId;
    BrokerLimits? limits;
    int quota;
    MqttException? closed;
    Publish? birth;
    long published;
    long refused;

    /// <summary>Acknowledged, or with QoS 0 handed to a connection.</summary>
    public long Published => Volatile.Read(ref published);

    public long Refused => Volatile.Read(ref refused);

    public int Pending
    {
        get
        {
            lock (gate)
                return waiting.Count + inFlight.Count;
        }
    }

    /// <summary>Something could be sent if the quota allows.</summary>
    public bool HasWaiting
    {
        get
        {
            lock (gate)
                return waiting.Count > 0;
        }
    }

    /// <summary>One message under way. The payload is the caller's memory and is read again at a resend.</summary>
    sealed class Publish(string topic, ReadOnlyMemory<byte> payload, MqttQos qos, bool retain, string? contentType)
    {
        public string Topic => topic;

        public ReadOnlyMemory<byte> Payload => payload;

        public MqttQos Qos => qos;

        public bool Retain => retain;

        public string? ContentType => contentType;

        /// <summary>Assigned at the first send and kept until the message is acknowledged or the session is gone. 0: never sent in this
        /// session.</summary>
        public ushort PacketId { get; set; }

        public TaskCompletionSource<MqttReasonCode> Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Adds a message at the end of the queue. The task ends with the broker's PUBACK, or with QoS 0 when it was handed to a
    /// connection.</summary>
    public Task<MqttReasonCode> Add(
        string topic,
        ReadOnlyMemory<byte> payload,
        MqttQos qos,
        bool retain,
        string? contentType,
        CancellationToken cancellationToken
    )
    {
        var publish = new Publish(topic, payload, qos, retain, contentType);
        var node = new LinkedListNode<Publish>(publish);
        lock (gate)
        {
            if (closed is not null)
                return Task.FromException<MqttReasonCode>(closed);
            waiting.AddLast(node);
        }
        return cancellationToken.CanBeCanceled ? WithCancellation(node, cancellationToken) : publish.Completion.Task;
    }

    async Task<MqttReasonCode> WithCancellation(LinkedListNode<Publish> node, CancellationToken cancellationToken)
    {
        using var registration = cancellationToken.UnsafeRegister(
            _ =>
            {
                lock (gate)
                {
                    // A message that was sent stays in flight: the broker may have it, and its identifier is not free before the PUBACK.
                    if (node.List == waiting && node.Value.PacketId == 0)
                        waiting.Remove(node);
                }
                node.Value.Completion.TrySetCanceled(cancellationToken);
            },
            null
        );
        return await node.Value.Completion.Task;
    }

    /// <summary>Before a connection is used: queues the messages in flight for sending again, and the birth message before
    /// everything.</summary>
    /// <returns>The outcome of the birth message, if it was added now.</returns>
    public Task<MqttReasonCode>? BeginConnection(bool sessionPresent, BrokerLimits brokerLimits, MqttAnnouncement? announcement)
    {
        lock (gate)
        {
            while (inFlight.Last is { } node)
            {
                inFlight.RemoveLast();
                waiting.AddFirst(node);
            }
            byId.Clear();
            if (!sessionPresent)
            {
                usedIds.Clear();
                for (var node = waiting.First; node is not null; )
                {
                    var next = node.Next;
                    // The sender has cancelled the message, and no session obliges the client to finish it: it is not sent again.
                    if (node.Value.Completion.Task.IsCompleted)
                        waiting.Remove(node);
                    node.Value.PacketId = 0;
                    node = next;
                }
            }
            limits = brokerLimits;
            quota = Math.Min(maximumInFlight, brokerLimits.ReceiveMaximum);
            if (announcement is null || birth is not null)
                return null;
            birth = new Publish(
                announcement.Topic,
                announcement.Payload,
                announcement.Qos,
                announcement.Retain && limits.RetainAvailable,
                announcement.ContentType
            );
            waiting.AddFirst(birth);
            return birth.Completion.Task;
        }
    }

    /// <summary>After a connection: nothing more is sent until the next one.</summary>
    public void EndConnection()
    {
        lock (gate)
            limits = null;
    }

    /// <summary>Encodes the messages that may go out now, in order, up to about this many bytes.</summary>
    public void Fill(PacketBuffer output, int bytes)
    {
        lock (gate)
        {
            while (limits is not null && output.Length < bytes && waiting.First is { } node)
            {
                var publish = node.Value;
                if (Refusal(publish, limits) is { } refusal)
                {
                    waiting.Remove(node);
                    usedIds.Remove(publish.PacketId);
                    Complete(publish, refusal);
                    continue;
                }
                if (publish.Qos == MqttQos.AtMostOnce)
                {
                    waiting.Remove(node);
                    Encode(output, publish, duplicate: false);
                    Complete(publish, null);
                    continue;
                }
                if (quota == 0)
                    return;
                quota--;
                var duplicate = publish.PacketId != 0;
                if (!duplicate)
                    publish.PacketId = TakeIdLocked();
                waiting.Remove(node);
                inFlight.AddLast(node);
                byId[publish.PacketId] = node;
                Encode(output, publish, duplicate);
            }
        }
    }

    /// <summary>A PUBACK came.</summary>
    /// <returns>False if no message of this connection has the identifier.</returns>
    public bool Acknowledge(ushort packetId, MqttReasonCode reason, string? reasonString)
    {
        lock (gate)
        {
            if (!byId.Remove(packetId, out var node))
                return false;
            inFlight.Remove(node);
            usedIds.Remove(packetId);
            quota++;
            var publish = node.Value;
            Complete(publish, reason.IsFailure() ? RefusalOf(publish, reason, reasonString) : null, reason);
            return true;
        }
    }

    /// <summary>An identifier for SUBSCRIBE or UNSUBSCRIBE, which share the numbers (§2.2.1).</summary>
    public ushort TakeId()
    {
        lock (gate)
            return TakeIdLocked();
    }

    public void ReturnId(ushort id)
    {
        lock (gate)
            usedIds.Remove(id);
    }

    /// <summary>Fails every unanswered message, and every later one.</summary>
    public void Close(MqttException reason)
    {
        lock (gate)
        {
            closed = reason;
            limits = null;
            foreach (var publish in inFlight.Concat(waiting))
            {
                // Perhaps nobody waits any more; this keeps it from becoming an unobserved exception.
                if (publish.Completion.TrySetException(reason))
                    _ = publish.Completion.Task.Exception;
            }
            inFlight.Clear();
            waiting.Clear();
            byId.Clear();
        }
    }

    ushort TakeIdLocked()
    {
        // At most 65,535 identifiers are in use; a free one is near unless nearly all are used.
        for (var i = 0; i < ushort.MaxValue; i++)
        {
            lastId = lastId == ushort.MaxValue ? (ushort)1 : (ushort)(lastId + 1);
            if (usedIds.Add(lastId))
                return lastId;
        }
        throw new MqttException("All 65535 MQTT packet identifiers are in use.");
    }

    void Complete(Publish publish, MqttPublishRefusedException? refusal, MqttReasonCode reason = MqttReasonCode.Success)
    {
        if (publish == birth)
            birth = null;
        if (refusal is null)
        {
            published++;
            publish.Completion.TrySetResult(reason);
            return;
        }
        refused++;
        if (publish.Completion.TrySetException(refusal))
            _ = publish.Completion.Task.Exception;
    }

    static void Encode(PacketBuffer output, Publish publish, bool duplicate) =>
        output.Add(
            new MqttPublishPacket
            {
                Topic = publish.Topic,
                Payload = new ReadOnlySequence<byte>(publish.Payload),
                QualityOfServiceLevel = (MqttQualityOfServiceLevel)publish.Qos,
                Retain = publish.Retain,
                Dup = duplicate,
                PacketIdentifier = publish.PacketId,
                ContentType = publish.ContentType,
            }
        );

    /// <summary>Size of the whole PUBLISH, in bytes, without encoding it.</summary>
    static long Size(Publish publish)
    {
        var properties = string.IsNullOrEmpty(publish.ContentType) ? 0 : 3 + Encoding.UTF8.GetByteCount(publish.ContentType);
        var body =
            2L
            + Encoding.UTF8.GetByteCount(publish.Topic)
            + (publish.Qos > MqttQos.AtMostOnce ? 2 : 0)
            + MqttBufferWriter.GetVariableByteIntegerSize((uint)properties)
            + properties
            + publish.Payload.Length;
        return 1 + MqttBufferWriter.GetVariableByteIntegerSize((uint)Math.Min(body, uint.MaxValue)) + body;
    }

    /// <summary>A message that the broker has announced it will not take must not be sent (§3.2.2.3.4–6).</summary>
    static MqttPublishRefusedException? Refusal(Publish publish, BrokerLimits limits)
    {
        if (publish.Qos > limits.MaximumQos)
            return RefusalOf(publish, MqttReasonCode.QosNotSupported, $"the broker offers QoS {(int)limits.MaximumQos} at most");
        if (publish.Retain && !limits.RetainAvailable)
            return RefusalOf(publish, MqttReasonCode.RetainNotSupported, "the broker keeps no retained messages");
        var size = Size(publish);
        var most = Math.Min(limits.MaximumPacketSize, MqttProtocolViolationException.VariableByteIntegerMaxValue);
        if (size > most)
            return RefusalOf(publish, MqttReasonCode.PacketTooLarge, $"the packet has {size} bytes, and the broker takes at most {most}");
        return null;
    }

    static MqttPublishRefusedException RefusalOf(Publish publish, MqttReasonCode reason, string? detail)
    {
        var cure = reason switch
        {
            MqttReasonCode.NotAuthorized =>
                "The broker of this project lets a device publish to telemetry/v1/{its name}/thermal, inverter and status only: use "
                    + "the name under which it is enrolled (./up --devices), or enroll it (./up --enroll NAME). On another broker, "
                    + "allow this user to write the topic in its ACL.",
            MqttReasonCode.PacketTooLarge => "Raise the broker's limit (message_size_limit, max_packet_size) or publish smaller batches.",
            MqttReasonCode.QuotaExceeded => "The broker's quota for this client is used up; raise it there or publish less.",
            MqttReasonCode.TopicNameInvalid => "Check the topic against the broker's rules.",
            MqttReasonCode.RetainNotSupported => "Allow retained messages on the broker.",
            MqttReasonCode.QosNotSupported => "Raise the broker's maximum QoS.",
            _ => "The broker's log has the details.",
        };
        return new MqttPublishRefusedException(
            reason,
            $"The broker refused a message of {publish.Payload.Length} bytes to '{publish.Topic}': {MqttReasons.Describe(reason)}"
                + $"{(string.IsNullOrEmpty(detail) ? "" : $", {detail}")}. {cure}"
        );
    }
}
