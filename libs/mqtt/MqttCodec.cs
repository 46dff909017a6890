using System.Text;

namespace ThermalStreaming.Mqtt;

/// <summary>
/// MQTT 5.0 control packets to bytes and back, from the OASIS Standard of 7 March 2019. Whatever bytes are given, decoding either gives a packet
/// or throws <see cref="MqttProtocolException"/>. Reason codes that the standard does not list for a packet are taken for what their
/// highest bit says, because a broker's newer code is no cause to lose a connection.
/// </summary>
static class MqttCodec
{
    public const uint LargestVariable = 268_435_455;

    public static int VariableLength(uint value) => value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4;

    /// <summary>
    /// Looks for a packet at the start of the data.
    /// </summary>
    /// <param name="data">What has arrived.</param>
    /// <param name="maximumPacketSize">Largest whole packet accepted, in bytes.</param>
    /// <param name="bodyStart">Length of the fixed header.</param>
    /// <param name="packetSize">Length of the whole packet, as soon as it is known; 0 before.</param>
    /// <returns>True when the whole packet is there.</returns>
    /// <exception cref="MqttProtocolException">Not a packet, or too large; found before its body is waited for.</exception>
    public static bool TryFrame(ReadOnlySpan<byte> data, int maximumPacketSize, out int bodyStart, out int packetSize)
    {
        bodyStart = 0;
        packetSize = 0;
        if (data.IsEmpty)
            return false;
        CheckFirstByte(data[0]);
        uint length = 0;
        for (var i = 1; ; i++)
        {
            if (i > 4)
                MqttReader.Malformed("the remaining length is longer than four bytes");
            if (i >= data.Length)
                return false;
            length |= (uint)(data[i] & 0x7F) << (7 * (i - 1));
            if ((data[i] & 0x80) != 0)
                continue;
            if (data[i] == 0 && i > 1)
                MqttReader.Malformed("the remaining length has more bytes than needed");
            bodyStart = i + 1;
            break;
        }
        var size = (long)bodyStart + length;
        if (size > maximumPacketSize)
        {
            throw new MqttProtocolException(MqttReasonCode.PacketTooLarge,
                $"An MQTT packet of {size} bytes came although at most {maximumPacketSize} were announced.");
        }
        packetSize = (int)size;
        return data.Length >= packetSize;
    }

    /// <summary>Type and flags (§2.1.2, §2.1.3): the reserved flag bits are fixed for every packet but PUBLISH.</summary>
    static void CheckFirstByte(byte first)
    {
        var flags = first & 0x0F;
        switch ((MqttPacketType)(first >> 4))
        {
            case 0:
                MqttReader.Malformed("packet type 0 is forbidden");
                break;
            case MqttPacketType.Publish:
                var qos = (flags >> 1) & 3;
                if (qos == 3)
                    MqttReader.Malformed("a message has QoS 3");
                if (qos == 0 && (flags & 8) != 0)
                    MqttReader.Malformed("a message of QoS 0 is marked as duplicate");
                break;
            case MqttPacketType.Pubrel or MqttPacketType.Subscribe or MqttPacketType.Unsubscribe:
                if (flags != 2)
                    MqttReader.Malformed("reserved flags are not 0010");
                break;
            default:
                if (flags != 0)
                    MqttReader.Malformed("reserved flags are not 0000");
                break;
        }
    }

    /// <summary>Decodes one packet, given its first byte and everything after the remaining length.</summary>
    public static MqttPacket Decode(byte first, ReadOnlySpan<byte> body)
    {
        CheckFirstByte(first);
        var reader = new MqttReader(body);
        var type = (MqttPacketType)(first >> 4);
        MqttPacket packet = type switch
        {
            MqttPacketType.Connect => DecodeConnect(ref reader),
            MqttPacketType.Connack => DecodeConnack(ref reader),
            MqttPacketType.Publish => DecodePublish(first, ref reader),
            MqttPacketType.Subscribe => DecodeSubscribe(ref reader),
            MqttPacketType.Suback or MqttPacketType.Unsuback => DecodeSuback(type, ref reader),
            MqttPacketType.Unsubscribe => DecodeUnsubscribe(ref reader),
            MqttPacketType.Pingreq => new PingreqPacket(),
            MqttPacketType.Pingresp => new PingrespPacket(),
            MqttPacketType.Disconnect => DecodeDisconnect(ref reader),
            MqttPacketType.Auth => DecodeAuth(ref reader),
            _ => DecodeAck(type, ref reader),
        };
        if (!reader.AtEnd)
            MqttReader.Malformed($"{type} has {reader.Rest.Length} bytes too many");
        return packet;
    }

    static ConnectPacket DecodeConnect(ref MqttReader reader)
    {
        if (!reader.ReadBinary().SequenceEqual("MQTT"u8))
            throw new MqttProtocolException(MqttReasonCode.UnsupportedProtocolVersion, "The CONNECT packet is not of the MQTT protocol.");
        var version = reader.ReadByte();
        if (version != 5)
            throw new MqttProtocolException(MqttReasonCode.UnsupportedProtocolVersion, $"The CONNECT packet is of MQTT protocol level {version}, not 5.");
        var flags = reader.ReadByte();
        if ((flags & 0x01) != 0)
            MqttReader.Malformed("the reserved connect flag is set");
        var hasWill = (flags & 0x04) != 0;
        var willQos = (flags >> 3) & 3;
        if (willQos == 3 || (!hasWill && (flags & 0x38) != 0))
            MqttReader.Malformed("the will flags contradict each other");
        var keepAlive = reader.ReadUInt16();
        var properties = ReadProperties(ref reader, MqttPropertyTypes.Connect);
        var clientId = reader.ReadString();
        WillPacket? will = null;
        if (hasWill)
        {
            var willProperties = ReadProperties(ref reader, MqttPropertyTypes.Will);
            var topic = MqttReader.ToTopic(reader.ReadBinary());
            var payload = reader.ReadBinary().ToArray();
            will = new WillPacket(topic, payload, (MqttQos)willQos, (flags & 0x20) != 0) { Properties = willProperties };
        }
        return new ConnectPacket(clientId, (flags & 0x02) != 0, keepAlive)
        {
            Properties = properties,
            Will = will,
            UserName = (flags & 0x80) != 0 ? reader.ReadString() : null,
            Password = (flags & 0x40) != 0 ? reader.ReadBinary().ToArray() : null,
        };
    }

    static ConnackPacket DecodeConnack(ref MqttReader reader)
    {
        var flags = reader.ReadByte();
        if ((flags & 0xFE) != 0)
            MqttReader.Malformed("reserved CONNACK flags are set");
        var reason = (MqttReasonCode)reader.ReadByte();
        if (reason != MqttReasonCode.Success && flags != 0)
            MqttReader.Error("a refusal says that a session is present");
        return new ConnackPacket(flags == 1, reason) { Properties = ReadProperties(ref reader, MqttPropertyTypes.Connack) };
    }

    static PublishPacket DecodePublish(byte first, ref MqttReader reader)
    {
        var view = new PublishView(first, reader.Rest);
        reader = new MqttReader([]);
        var items = ReadProperties(view.PropertyBlock, MqttPropertyTypes.Publish);
        var topic = view.Topic.IsEmpty && view.TopicAlias > 0 ? "" : MqttReader.ToTopic(view.Topic);
        return new PublishPacket(topic, view.Payload.ToArray(), view.Qos, view.Retain, view.Duplicate, view.PacketId) { Properties = items };
    }

    static AckPacket DecodeAck(MqttPacketType type, ref MqttReader reader)
    {
        var id = reader.ReadPacketId();
        // The reason may be left out when it is success, and the property length when there is none (§3.4.2.1, §3.4.2.2.1).
        var reason = reader.AtEnd ? MqttReasonCode.Success : (MqttReasonCode)reader.ReadByte();
        var properties = reader.AtEnd ? MqttProperties.None : ReadProperties(ref reader, MqttPropertyTypes.Ack);
        return new AckPacket(type, id, reason) { Properties = properties };
    }

    static SubscribePacket DecodeSubscribe(ref MqttReader reader)
    {
        var id = reader.ReadPacketId();
        var block = reader.ReadPropertyBlock();
        var properties = ReadProperties(block, MqttPropertyTypes.Subscribe);
        if (properties.Items.Count(p => p.Id == MqttPropertyId.SubscriptionIdentifier) > 1)
            MqttReader.Error("SUBSCRIBE has two subscription identifiers");
        List<SubscribeFilter> filters = [];
        while (!reader.AtEnd)
        {
            var filter = ReadFilter(ref reader);
            var options = reader.ReadByte();
            if ((options & 0xC0) != 0 || (options & 3) == 3 || (options & 0x30) == 0x30)
                MqttReader.Malformed("subscription options are out of range");
            if ((options & 0x04) != 0 && filter.StartsWith("$share/", StringComparison.Ordinal))
                MqttReader.Error("No Local is set on a shared subscription");
            filters.Add(new SubscribeFilter(filter, (MqttQos)(options & 3), (options & 4) != 0, (options & 8) != 0, (byte)(options >> 4)));
        }
        if (filters.Count == 0)
            MqttReader.Error("SUBSCRIBE has no topic filter");
        return new SubscribePacket(id, filters) { Properties = properties };
    }

    static string ReadFilter(ref MqttReader reader)
    {
        var filter = reader.ReadString();
        if (MqttTopic.FilterProblem(filter) is { } problem)
            throw new MqttProtocolException(MqttReasonCode.TopicFilterInvalid, $"The topic filter '{filter}' is invalid: {problem}.");
        return filter;
    }

    static SubackPacket DecodeSuback(MqttPacketType type, ref MqttReader reader)
    {
        var id = reader.ReadPacketId();
        var properties = ReadProperties(ref reader, MqttPropertyTypes.Ack);
        if (reader.AtEnd)
            MqttReader.Error($"{type} has no reason code");
        var reasons = new MqttReasonCode[reader.Rest.Length];
        for (var i = 0; i < reasons.Length; i++)
        {
            reasons[i] = (MqttReasonCode)reader.ReadByte();
            if (type == MqttPacketType.Suback && reasons[i] is > MqttReasonCode.GrantedQos2 and < MqttReasonCode.UnspecifiedError)
                MqttReader.Error($"SUBACK grants QoS {(int)reasons[i]}");
        }
        return new SubackPacket(type, id, reasons) { Properties = properties };
    }

    static UnsubscribePacket DecodeUnsubscribe(ref MqttReader reader)
    {
        var id = reader.ReadPacketId();
        var properties = ReadProperties(ref reader, MqttPropertyTypes.Unsubscribe);
        List<string> filters = [];
        while (!reader.AtEnd)
            filters.Add(ReadFilter(ref reader));
        if (filters.Count == 0)
            MqttReader.Error("UNSUBSCRIBE has no topic filter");
        return new UnsubscribePacket(id, filters) { Properties = properties };
    }

    static DisconnectPacket DecodeDisconnect(ref MqttReader reader)
    {
        var reason = reader.AtEnd ? MqttReasonCode.Success : (MqttReasonCode)reader.ReadByte();
        var properties = reader.AtEnd ? MqttProperties.None : ReadProperties(ref reader, MqttPropertyTypes.Disconnect);
        return new DisconnectPacket(reason) { Properties = properties };
    }

    static AuthPacket DecodeAuth(ref MqttReader reader)
    {
        if (reader.AtEnd)
            return new AuthPacket(MqttReasonCode.Success);
        var reason = (MqttReasonCode)reader.ReadByte();
        if (reason is not (MqttReasonCode.Success or MqttReasonCode.ContinueAuthentication or MqttReasonCode.Reauthenticate))
            MqttReader.Error($"AUTH with reason 0x{(byte)reason:X2}");
        return new AuthPacket(reason) { Properties = ReadProperties(ref reader, MqttPropertyTypes.Auth) };
    }

    static MqttProperties ReadProperties(ref MqttReader reader, ulong allowed) => ReadProperties(reader.ReadPropertyBlock(), allowed);

    static MqttProperties ReadProperties(ReadOnlySpan<byte> block, ulong allowed)
    {
        if (block.IsEmpty)
            return MqttProperties.None;
        List<MqttProperty> items = [];
        var reader = new MqttPropertyReader(block, allowed);
        while (reader.MoveNext())
        {
            items.Add(MqttPropertyTypes.Of(reader.Id) switch
            {
                MqttPropertyType.Text => new MqttProperty(reader.Id) { Text = Encoding.UTF8.GetString(reader.Bytes) },
                MqttPropertyType.Binary => new MqttProperty(reader.Id) { Data = reader.Bytes.ToArray() },
                MqttPropertyType.Pair => new MqttProperty(reader.Id)
                {
                    Name = Encoding.UTF8.GetString(reader.Name),
                    Text = Encoding.UTF8.GetString(reader.Bytes),
                },
                _ => new MqttProperty(reader.Id) { Number = reader.Number },
            });
        }
        if (reader.Has(MqttPropertyId.AuthenticationData) && !reader.Has(MqttPropertyId.AuthenticationMethod))
            MqttReader.Error("there is authentication data without a method");
        return new MqttProperties(items);
    }

    /// <summary>Appends one packet.</summary>
    /// <exception cref="ArgumentException">A string or binary value is longer than its two bytes of length can say.</exception>
    public static void Encode(MqttWriter writer, MqttPacket packet)
    {
        int block;
        switch (packet)
        {
            case ConnectPacket connect:
                block = Begin(writer, MqttPacketType.Connect, 0);
                EncodeConnect(writer, connect);
                break;
            case ConnackPacket connack:
                block = Begin(writer, MqttPacketType.Connack, 0);
                writer.WriteByte(connack.SessionPresent ? (byte)1 : (byte)0);
                writer.WriteByte((byte)connack.Reason);
                EncodeProperties(writer, connack.Properties);
                break;
            case PublishPacket publish:
                block = Begin(writer, MqttPacketType.Publish, PublishFlags(publish.Qos, publish.Retain, publish.Duplicate));
                writer.WriteString(publish.Topic);
                if (publish.Qos > MqttQos.AtMostOnce)
                    writer.WriteUInt16(publish.PacketId);
                EncodeProperties(writer, publish.Properties);
                writer.WriteBytes(publish.Payload.Span);
                break;
            case AckPacket ack:
                block = Begin(writer, ack.Type, ack.Type == MqttPacketType.Pubrel ? (byte)2 : (byte)0);
                writer.WriteUInt16(ack.PacketId);
                EncodeReason(writer, ack.Reason, ack.Properties);
                break;
            case SubscribePacket subscribe:
                block = Begin(writer, MqttPacketType.Subscribe, 2);
                writer.WriteUInt16(subscribe.PacketId);
                EncodeProperties(writer, subscribe.Properties);
                foreach (var filter in subscribe.Filters)
                {
                    writer.WriteString(filter.Filter);
                    writer.WriteByte((byte)((byte)filter.MaximumQos | (filter.NoLocal ? 4 : 0) | (filter.RetainAsPublished ? 8 : 0)
                        | filter.RetainHandling << 4));
                }
                break;
            case SubackPacket suback:
                block = Begin(writer, suback.Type, 0);
                writer.WriteUInt16(suback.PacketId);
                EncodeProperties(writer, suback.Properties);
                foreach (var reason in suback.Reasons)
                    writer.WriteByte((byte)reason);
                break;
            case UnsubscribePacket unsubscribe:
                block = Begin(writer, MqttPacketType.Unsubscribe, 2);
                writer.WriteUInt16(unsubscribe.PacketId);
                EncodeProperties(writer, unsubscribe.Properties);
                foreach (var filter in unsubscribe.Filters)
                    writer.WriteString(filter);
                break;
            case PingreqPacket:
                block = Begin(writer, MqttPacketType.Pingreq, 0);
                break;
            case PingrespPacket:
                block = Begin(writer, MqttPacketType.Pingresp, 0);
                break;
            case DisconnectPacket disconnect:
                block = Begin(writer, MqttPacketType.Disconnect, 0);
                EncodeReason(writer, disconnect.Reason, disconnect.Properties);
                break;
            case AuthPacket auth:
                block = Begin(writer, MqttPacketType.Auth, 0);
                // Unlike an ack's, AUTH's reason is never without a property length (§3.15.2.1).
                if (auth.Reason != MqttReasonCode.Success || auth.Properties.Items.Count > 0)
                {
                    writer.WriteByte((byte)auth.Reason);
                    EncodeProperties(writer, auth.Properties);
                }
                break;
            default:
                throw new ArgumentException($"{packet.GetType().Name} is not a packet of its own.", nameof(packet));
        }
        writer.EndBlock(block);
    }

    /// <summary>Appends PUBLISH as this client sends it: without building a packet object.</summary>
    public static void EncodePublish(MqttWriter writer, string topic, ReadOnlySpan<byte> payload, MqttQos qos, bool retain, bool duplicate,
        ushort packetId, string? contentType)
    {
        var topicBytes = Encoding.UTF8.GetByteCount(topic);
        var propertyBytes = contentType is null ? 0 : 3 + Encoding.UTF8.GetByteCount(contentType);
        writer.WriteByte((byte)((byte)MqttPacketType.Publish << 4 | PublishFlags(qos, retain, duplicate)));
        writer.WriteVariable((uint)PublishBodySize(topicBytes, propertyBytes, payload.Length, qos));
        writer.WriteString(topic);
        if (qos > MqttQos.AtMostOnce)
            writer.WriteUInt16(packetId);
        writer.WriteVariable((uint)propertyBytes);
        if (contentType is not null)
        {
            writer.WriteByte((byte)MqttPropertyId.ContentType);
            writer.WriteString(contentType);
        }
        writer.WriteBytes(payload);
    }

    /// <summary>Size of the whole PUBLISH that <see cref="EncodePublish"/> makes, in bytes.</summary>
    public static long PublishSize(string topic, int payloadBytes, MqttQos qos, string? contentType)
    {
        var body = PublishBodySize(Encoding.UTF8.GetByteCount(topic), contentType is null ? 0 : 3 + Encoding.UTF8.GetByteCount(contentType),
            payloadBytes, qos);
        return body + 1 + VariableLength((uint)Math.Min(body, LargestVariable));
    }

    static long PublishBodySize(int topicBytes, int propertyBytes, int payloadBytes, MqttQos qos) =>
        2L + topicBytes + (qos > MqttQos.AtMostOnce ? 2 : 0) + VariableLength((uint)propertyBytes) + propertyBytes + payloadBytes;

    /// <summary>Appends PUBACK, PUBREC, PUBREL or PUBCOMP in the short form when it is a success.</summary>
    public static void EncodeAck(MqttWriter writer, MqttPacketType type, ushort packetId, MqttReasonCode reason = MqttReasonCode.Success)
    {
        writer.WriteByte((byte)((byte)type << 4 | (type == MqttPacketType.Pubrel ? 2 : 0)));
        writer.WriteByte(reason == MqttReasonCode.Success ? (byte)2 : (byte)3);
        writer.WriteUInt16(packetId);
        if (reason != MqttReasonCode.Success)
            writer.WriteByte((byte)reason);
    }

    static int Begin(MqttWriter writer, MqttPacketType type, byte flags)
    {
        writer.WriteByte((byte)((byte)type << 4 | flags));
        return writer.BeginBlock();
    }

    static byte PublishFlags(MqttQos qos, bool retain, bool duplicate) => (byte)((duplicate ? 8 : 0) | (byte)qos << 1 | (retain ? 1 : 0));

    static void EncodeConnect(MqttWriter writer, ConnectPacket connect)
    {
        var will = connect.Will;
        writer.WriteBinary("MQTT"u8);
        writer.WriteByte(5);
        writer.WriteByte((byte)((connect.CleanStart ? 0x02 : 0)
            | (will is null ? 0 : 0x04 | (byte)will.Qos << 3 | (will.Retain ? 0x20 : 0))
            | (connect.Password is null ? 0 : 0x40)
            | (connect.UserName is null ? 0 : 0x80)));
        writer.WriteUInt16(connect.KeepAlive);
        EncodeProperties(writer, connect.Properties);
        writer.WriteString(connect.ClientId);
        if (will is not null)
        {
            EncodeProperties(writer, will.Properties);
            writer.WriteString(will.Topic);
            writer.WriteBinary(will.Payload.Span);
        }
        if (connect.UserName is not null)
            writer.WriteString(connect.UserName);
        if (connect.Password is { } password)
            writer.WriteBinary(password);
    }

    static void EncodeReason(MqttWriter writer, MqttReasonCode reason, MqttProperties properties)
    {
        if (reason == MqttReasonCode.Success && properties.Items.Count == 0)
            return;
        writer.WriteByte((byte)reason);
        if (properties.Items.Count > 0)
            EncodeProperties(writer, properties);
    }

    static void EncodeProperties(MqttWriter writer, MqttProperties properties)
    {
        var block = writer.BeginBlock();
        foreach (var property in properties.Items)
        {
            writer.WriteByte((byte)property.Id);
            switch (MqttPropertyTypes.Of(property.Id))
            {
                case MqttPropertyType.Flag:
                    writer.WriteByte((byte)property.Number);
                    break;
                case MqttPropertyType.UInt16:
                    writer.WriteUInt16((ushort)property.Number);
                    break;
                case MqttPropertyType.UInt32:
                    writer.WriteUInt32(property.Number);
                    break;
                case MqttPropertyType.Variable:
                    writer.WriteVariable(property.Number);
                    break;
                case MqttPropertyType.Text:
                    writer.WriteString(property.Text ?? "");
                    break;
                case MqttPropertyType.Binary:
                    writer.WriteBinary(property.Data.Span);
                    break;
                case MqttPropertyType.Pair:
                    writer.WriteString(property.Name ?? "");
                    writer.WriteString(property.Text ?? "");
                    break;
                default:
                    throw new ArgumentException($"There is no property {(int)property.Id}.", nameof(properties));
            }
        }
        writer.EndBlock(block);
    }
}

/// <summary>A PUBLISH in place, split and checked without allocating. The topic is not checked yet: one seen before need not be again.</summary>
readonly ref struct PublishView
{
    public PublishView(byte first, ReadOnlySpan<byte> body)
    {
        Duplicate = (first & 8) != 0;
        Qos = (MqttQos)((first >> 1) & 3);
        Retain = (first & 1) != 0;
        var reader = new MqttReader(body);
        Topic = reader.ReadBinary();
        PacketId = Qos > MqttQos.AtMostOnce ? reader.ReadPacketId() : (ushort)0;
        PropertyBlock = reader.ReadPropertyBlock();
        Payload = reader.Rest;
        var properties = new MqttPropertyReader(PropertyBlock, MqttPropertyTypes.Publish);
        while (properties.MoveNext())
        {
            switch (properties.Id)
            {
                case MqttPropertyId.ContentType:
                    ContentType = properties.Bytes;
                    HasContentType = true;
                    break;
                case MqttPropertyId.TopicAlias:
                    TopicAlias = (ushort)properties.Number;
                    if (TopicAlias == 0)
                        throw new MqttProtocolException(MqttReasonCode.TopicAliasInvalid, "The topic alias of a message is 0.");
                    break;
                case MqttPropertyId.ResponseTopic when properties.Bytes.IndexOfAny((byte)'+', (byte)'#') >= 0:
                    MqttReader.Error("the response topic has a wildcard");
                    break;
                default:
                    break;
            }
        }
    }

    public bool Duplicate { get; }

    public MqttQos Qos { get; }

    public bool Retain { get; }

    public ReadOnlySpan<byte> Topic { get; }

    /// <summary>0 with QoS 0.</summary>
    public ushort PacketId { get; }

    public bool HasContentType { get; }

    /// <summary>Checked UTF-8.</summary>
    public ReadOnlySpan<byte> ContentType { get; }

    /// <summary>0 if there is none.</summary>
    public ushort TopicAlias { get; }

    public ReadOnlySpan<byte> PropertyBlock { get; }

    public ReadOnlySpan<byte> Payload { get; }
}
