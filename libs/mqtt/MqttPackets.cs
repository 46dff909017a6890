namespace ThermalStreaming.Mqtt;

/// <summary>Control packet types (MQTT 5.0 §2.1.2).</summary>
enum MqttPacketType : byte
{
    Connect = 1,
    Connack = 2,
    Publish = 3,
    Puback = 4,
    Pubrec = 5,
    Pubrel = 6,
    Pubcomp = 7,
    Subscribe = 8,
    Suback = 9,
    Unsubscribe = 10,
    Unsuback = 11,
    Pingreq = 12,
    Pingresp = 13,
    Disconnect = 14,
    Auth = 15,
}

/// <summary>Property identifiers (MQTT 5.0 §2.2.2.2).</summary>
enum MqttPropertyId : byte
{
    PayloadFormatIndicator = 1,
    MessageExpiryInterval = 2,
    ContentType = 3,
    ResponseTopic = 8,
    CorrelationData = 9,
    SubscriptionIdentifier = 11,
    SessionExpiryInterval = 17,
    AssignedClientIdentifier = 18,
    ServerKeepAlive = 19,
    AuthenticationMethod = 21,
    AuthenticationData = 22,
    RequestProblemInformation = 23,
    WillDelayInterval = 24,
    RequestResponseInformation = 25,
    ResponseInformation = 26,
    ServerReference = 28,
    ReasonString = 31,
    ReceiveMaximum = 33,
    TopicAliasMaximum = 34,
    TopicAlias = 35,
    MaximumQos = 36,
    RetainAvailable = 37,
    UserProperty = 38,
    MaximumPacketSize = 39,
    WildcardSubscriptionAvailable = 40,
    SubscriptionIdentifierAvailable = 41,
    SharedSubscriptionAvailable = 42,
}

/// <summary>One property. Which of the values counts depends on the identifier's type.</summary>
readonly record struct MqttProperty(MqttPropertyId Id)
{
    public uint Number { get; init; }

    public string? Text { get; init; }

    /// <summary>Of a user property only.</summary>
    public string? Name { get; init; }

    public ReadOnlyMemory<byte> Data { get; init; }
}

/// <summary>The properties of a packet, in the order of the wire.</summary>
sealed class MqttProperties(IReadOnlyList<MqttProperty> items)
{
    public static MqttProperties None { get; } = new([]);

    public IReadOnlyList<MqttProperty> Items { get; } = items;

    public uint? Number(MqttPropertyId id)
    {
        foreach (var property in Items)
        {
            if (property.Id == id)
                return property.Number;
        }
        return null;
    }

    public string? Text(MqttPropertyId id)
    {
        foreach (var property in Items)
        {
            if (property.Id == id)
                return property.Text;
        }
        return null;
    }
}

abstract record MqttPacket
{
    public MqttProperties Properties { get; init; } = MqttProperties.None;
}

sealed record ConnectPacket(string ClientId, bool CleanStart, ushort KeepAlive) : MqttPacket
{
    public WillPacket? Will { get; init; }

    public string? UserName { get; init; }

    public byte[]? Password { get; init; }
}

/// <summary>The will inside CONNECT, with properties of its own (§3.1.3.2).</summary>
sealed record WillPacket(string Topic, ReadOnlyMemory<byte> Payload, MqttQos Qos, bool Retain) : MqttPacket;

sealed record ConnackPacket(bool SessionPresent, MqttReasonCode Reason) : MqttPacket;

sealed record PublishPacket(string Topic, ReadOnlyMemory<byte> Payload, MqttQos Qos, bool Retain, bool Duplicate, ushort PacketId) : MqttPacket;

/// <summary>PUBACK, PUBREC, PUBREL or PUBCOMP, which look alike (§3.4–3.7).</summary>
sealed record AckPacket(MqttPacketType Type, ushort PacketId, MqttReasonCode Reason) : MqttPacket;

/// <summary>A filter and its options byte (§3.8.3.1).</summary>
readonly record struct SubscribeFilter(string Filter, MqttQos MaximumQos, bool NoLocal, bool RetainAsPublished, byte RetainHandling);

sealed record SubscribePacket(ushort PacketId, IReadOnlyList<SubscribeFilter> Filters) : MqttPacket;

/// <summary>SUBACK or UNSUBACK.</summary>
sealed record SubackPacket(MqttPacketType Type, ushort PacketId, IReadOnlyList<MqttReasonCode> Reasons) : MqttPacket;

sealed record UnsubscribePacket(ushort PacketId, IReadOnlyList<string> Filters) : MqttPacket;

sealed record PingreqPacket : MqttPacket;

sealed record PingrespPacket : MqttPacket;

sealed record DisconnectPacket(MqttReasonCode Reason) : MqttPacket;

sealed record AuthPacket(MqttReasonCode Reason) : MqttPacket;
