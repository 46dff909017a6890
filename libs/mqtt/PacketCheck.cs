using System.Text.Unicode;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace ThermalStreaming.Mqtt;

/// <summary>
/// Checks a packet from the broker for errors that MQTTnet's decoder lets pass: reserved flags, packet identifier 0, text that is not UTF-8
/// or has a NUL, properties that are repeated, out of range or longer than their block, and bytes behind the end. Section numbers are those
/// of MQTT 5.0. For one thread.
/// </summary>
sealed class PacketCheck
{
    const ulong Repeatable = 1UL << (int)MqttPropertyId.UserProperty | 1UL << (int)MqttPropertyId.SubscriptionIdentifier;

    readonly MqttBufferReader reader = new();
    ArraySegment<byte> body;

    /// <summary>Checks type and flags (§2.1.2, §2.1.3), which are the first byte of a packet.</summary>
    /// <exception cref="MqttProtocolException">There is no such packet.</exception>
    public static void CheckFirstByte(byte first)
    {
        var flags = first & 0x0F;
        switch ((MqttControlPacketType)(first >> 4))
        {
            case 0:
                throw MqttProtocolException.Malformed("packet type 0 is forbidden");
            case MqttControlPacketType.Publish when (flags & 6) == 6:
                throw MqttProtocolException.Malformed("a message has QoS 3");
            case MqttControlPacketType.Publish when (flags & 6) == 0 && (flags & 8) != 0:
                throw MqttProtocolException.Malformed("a message of QoS 0 is marked as duplicate");
            case MqttControlPacketType.Publish:
                break;
            case MqttControlPacketType.PubRel or MqttControlPacketType.Subscribe or MqttControlPacketType.Unsubscribe:
                if (flags != 2)
                    throw MqttProtocolException.Malformed("reserved flags are not 0010");
                break;
            default:
                if (flags != 0)
                    throw MqttProtocolException.Malformed("reserved flags are not 0000");
                break;
        }
    }

    /// <summary>
    /// Checks everything behind the fixed header. From a PUBLISH it removes user properties and subscription identifiers, in place: no
    /// caller reads them, and MQTTnet makes an object of each. Otherwise a sender could make one message of 16 MiB take many times its size
    /// here, each time the broker delivers it.
    /// </summary>
    /// <param name="type">The packet's type.</param>
    /// <param name="qos">Of a PUBLISH, 0 to 2.</param>
    /// <param name="packet">Everything behind the remaining length.</param>
    /// <returns>How many bytes of the packet to decode, and where the payload of a PUBLISH starts.</returns>
    /// <exception cref="MqttProtocolException">The packet breaks a rule, or is not for a client.</exception>
    /// <exception cref="MQTTnet.Exceptions.MqttProtocolViolationException">The packet ends too soon.</exception>
    public (int Decoded, int PayloadStart) Check(MqttControlPacketType type, int qos, ArraySegment<byte> packet)
    {
        body = packet;
        reader.SetBuffer(packet);
        switch (type)
        {
            case MqttControlPacketType.Publish:
                return CheckPublish(qos);
            case MqttControlPacketType.ConnAck:
                CheckConnack();
                break;
            case MqttControlPacketType.PubAck or MqttControlPacketType.PubRel:
                CheckPacketId();
                CheckReason();
                break;
            case MqttControlPacketType.SubAck or MqttControlPacketType.UnsubAck:
                CheckPacketId();
                CheckProperties(remove: 0);
                CheckReasons(type);
                break;
            case MqttControlPacketType.Disconnect:
                CheckReason();
                break;
            case MqttControlPacketType.PingResp:
                break;
            default:
                throw MqttProtocolException.Error($"{type.ToString().ToUpperInvariant()} is not for a client to receive here");
        }
        if (!reader.EndOfStream)
            throw MqttProtocolException.Malformed($"{type.ToString().ToUpperInvariant()} has {reader.BytesLeft} bytes too many");
        return (packet.Count, packet.Count);
    }

    (int Decoded, int PayloadStart) CheckPublish(int qos)
    {
        var topic = Take(reader.ReadTwoByteInteger());
        CheckText(topic);
        if (topic.IndexOfAny((byte)'+', (byte)'#') >= 0)
            throw MqttProtocolException.Malformed("the topic of a message has a wildcard");
        if (qos > 0)
            CheckPacketId();
        var decoded = CheckProperties(Repeatable);
        if (topic.IsEmpty)
            throw MqttProtocolException.Error("the topic of a message is empty");
        return (decoded, reader.Position);
    }

    void CheckConnack()
    {
        var flags = reader.ReadByte();
        if ((flags & 0xFE) != 0)
            throw MqttProtocolException.Malformed("reserved CONNACK flags are set");
        var reason = reader.ReadByte();
        if (reason != 0 && flags != 0)
            throw MqttProtocolException.Error("a refusal says that a session is present");
        // A broker of an older MQTT version refuses with 1 and without properties; some use the code of MQTT 5.
        if (!reader.EndOfStream || reason is not (1 or (byte)MqttReasonCode.UnsupportedProtocolVersion))
            CheckProperties(remove: 0);
    }

    void CheckPacketId()
    {
        if (reader.ReadTwoByteInteger() == 0)
            throw MqttProtocolException.Error("the packet identifier is 0");
    }

    /// <summary>A reason and properties, which may both be left out (§3.4.2.1, §3.4.2.2.1).</summary>
    void CheckReason()
    {
        if (!reader.EndOfStream)
            reader.ReadByte();
        if (!reader.EndOfStream)
            CheckProperties(remove: 0);
    }

    /// <summary>A code that is not in the standard counts as success or failure by its highest bit. In a SUBACK, a code between the granted
    /// QoS and the failures is an error.</summary>
    void CheckReasons(MqttControlPacketType type)
    {
        if (reader.EndOfStream)
            throw MqttProtocolException.Error($"{type.ToString().ToUpperInvariant()} has no reason code");
        while (!reader.EndOfStream)
        {
            var reason = (MqttReasonCode)reader.ReadByte();
            if (type == MqttControlPacketType.SubAck && reason is > MqttReasonCode.GrantedQos2 and < MqttReasonCode.UnspecifiedError)
                throw MqttProtocolException.Error($"SUBACK grants QoS {(int)reason}");
        }
    }

    /// <summary>Checks a block of properties (§2.2.2). MQTTnet's decoder checks which of them belong to the packet.</summary>
    /// <param name="remove">One bit for each property to remove, in place; the rest moves up.</param>
    /// <returns>Where the remaining properties end.</returns>
    int CheckProperties(ulong remove)
    {
        var lengthAt = reader.Position;
        var length = reader.ReadVariableByteInteger();
        if (length > (uint)reader.BytesLeft)
            throw MqttProtocolException.Malformed("the properties are longer than the packet");
        var start = reader.Position;
        if (start - lengthAt > MqttBufferWriter.GetVariableByteIntegerSize(length))
            throw MqttProtocolException.Malformed("the length of the properties has more bytes than needed");
        var end = start + (int)length;
        var kept = start;
        ulong seen = 0;
        while (reader.Position < end)
        {
            var at = reader.Position;
            var id = (MqttPropertyId)reader.ReadByte();
            CheckProperty(id);
            if (reader.Position > end)
                throw MqttProtocolException.Malformed("a property is longer than the properties");
            var bit = 1UL << (int)id;
            if ((seen & bit & ~Repeatable) != 0)
                throw MqttProtocolException.Error($"property {id} is there twice");
            seen |= bit;
            if ((remove & bit) != 0)
                continue;
            if (kept < at)
                body.AsSpan(at, reader.Position - at).CopyTo(body.AsSpan(kept));
            kept += reader.Position - at;
        }
        if (kept < end)
            WriteLength(body.AsSpan(lengthAt, start - lengthAt), kept - start);
        return kept;
    }

    /// <summary>Writes a variable byte integer into as many bytes as its larger predecessor had.</summary>
    static void WriteLength(Span<byte> bytes, int length)
    {
        for (var i = 0; i < bytes.Length; i++, length >>= 7)
            bytes[i] = (byte)(length & 0x7F | (i < bytes.Length - 1 ? 0x80 : 0));
    }

    /// <summary>The table of §2.2.2.2: type and range of each property.</summary>
    void CheckProperty(MqttPropertyId id)
    {
        switch (id)
        {
            case MqttPropertyId.PayloadFormatIndicator
            or MqttPropertyId.RequestProblemInformation
            or MqttPropertyId.RequestResponseInformation
            or MqttPropertyId.MaximumQoS
            or MqttPropertyId.RetainAvailable
            or MqttPropertyId.WildcardSubscriptionAvailable
            or MqttPropertyId.SubscriptionIdentifiersAvailable
            or MqttPropertyId.SharedSubscriptionAvailable:
                if (reader.ReadByte() > 1)
                    throw MqttProtocolException.Error($"property {id} is neither 0 nor 1");
                break;
            case MqttPropertyId.ServerKeepAlive or MqttPropertyId.TopicAliasMaximum:
                reader.ReadTwoByteInteger();
                break;
            case MqttPropertyId.ReceiveMaximum:
                RefuseZero(id, reader.ReadTwoByteInteger());
                break;
            case MqttPropertyId.MessageExpiryInterval or MqttPropertyId.SessionExpiryInterval or MqttPropertyId.WillDelayInterval:
                reader.ReadFourByteInteger();
                break;
            case MqttPropertyId.MaximumPacketSize:
                RefuseZero(id, reader.ReadFourByteInteger());
                break;
            case MqttPropertyId.SubscriptionIdentifier:
                RefuseZero(id, reader.ReadVariableByteInteger());
                break;
            case MqttPropertyId.ContentType
            or MqttPropertyId.ResponseTopic
            or MqttPropertyId.AssignedClientIdentifier
            or MqttPropertyId.AuthenticationMethod
            or MqttPropertyId.ResponseInformation
            or MqttPropertyId.ServerReference
            or MqttPropertyId.ReasonString:
                CheckText(Take(reader.ReadTwoByteInteger()));
                break;
            case MqttPropertyId.CorrelationData or MqttPropertyId.AuthenticationData:
                Take(reader.ReadTwoByteInteger());
                break;
            case MqttPropertyId.UserProperty:
                CheckText(Take(reader.ReadTwoByteInteger()));
                CheckText(Take(reader.ReadTwoByteInteger()));
                break;
            case MqttPropertyId.TopicAlias:
                throw new MqttProtocolException(MqttReasonCode.TopicAliasInvalid, "A message uses a topic alias, but none was allowed.");
            default:
                throw MqttProtocolException.Malformed($"property {(int)id} does not exist");
        }
    }

    static void RefuseZero(MqttPropertyId id, uint value)
    {
        if (value == 0)
            throw MqttProtocolException.Error($"property {id} is 0");
    }

    /// <summary>A UTF-8 string (§1.5.4): well-formed, no surrogates, no U+0000.</summary>
    static void CheckText(ReadOnlySpan<byte> utf8)
    {
        if (!Utf8.IsValid(utf8))
            throw MqttProtocolException.Malformed("a string is not well-formed UTF-8");
        if (utf8.Contains((byte)0))
            throw MqttProtocolException.Malformed("a string has a NUL character");
    }

    ReadOnlySpan<byte> Take(int count)
    {
        if (count > reader.BytesLeft)
            throw MqttProtocolException.Malformed("the packet ends too soon");
        var taken = body.AsSpan(reader.Position, count);
        reader.Seek(reader.Position + count);
        return taken;
    }
}
