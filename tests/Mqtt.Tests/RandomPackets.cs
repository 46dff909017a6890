using System.Buffers;
using System.Text;
using MQTTnet.Formatter;
using MQTTnet.Formatter.V5;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>Random packets of all fifteen types, valid by MQTT 5.0, encoded by MQTTnet.</summary>
sealed class RandomPackets(Random random)
{
    /// <summary>The types that a broker sends to this client.</summary>
    public static readonly MqttControlPacketType[] ForClient =
    [
        MqttControlPacketType.ConnAck,
        MqttControlPacketType.Publish,
        MqttControlPacketType.PubAck,
        MqttControlPacketType.PubRel,
        MqttControlPacketType.SubAck,
        MqttControlPacketType.UnsubAck,
        MqttControlPacketType.PingResp,
        MqttControlPacketType.Disconnect,
    ];

    readonly MqttV5PacketEncoder encoder = new(new MqttBufferWriter(4096, 65_536));

    public byte[] Encode(MqttPacket packet) => encoder.Encode(packet).ToArray();

    public MqttPacket Next() => Next((MqttControlPacketType)random.Next(1, 16));

    public MqttPacket Next(MqttControlPacketType type) =>
        type switch
        {
            MqttControlPacketType.Connect => Connect(),
            MqttControlPacketType.ConnAck => Connack(),
            MqttControlPacketType.Publish => Publish(),
            MqttControlPacketType.PubAck => new MqttPubAckPacket
            {
                PacketIdentifier = PacketId(),
                ReasonCode = Coin() ? MqttPubAckReasonCode.Success : MqttPubAckReasonCode.QuotaExceeded,
                ReasonString = Perhaps(Text),
                UserProperties = UserProperties(),
            },
            MqttControlPacketType.PubRec => new MqttPubRecPacket { PacketIdentifier = PacketId(), ReasonString = Perhaps(Text) },
            MqttControlPacketType.PubRel => new MqttPubRelPacket
            {
                PacketIdentifier = PacketId(),
                ReasonCode = Coin() ? MqttPubRelReasonCode.Success : MqttPubRelReasonCode.PacketIdentifierNotFound,
                ReasonString = Perhaps(Text),
                UserProperties = UserProperties(),
            },
            MqttControlPacketType.PubComp => new MqttPubCompPacket { PacketIdentifier = PacketId(), ReasonString = Perhaps(Text) },
            MqttControlPacketType.Subscribe => new MqttSubscribePacket
            {
                PacketIdentifier = PacketId(),
                SubscriptionIdentifier = (uint)random.Next(2) * (uint)random.Next(268_435_455),
                TopicFilters = Some(() => new MqttTopicFilter { Topic = Topic(), RetainAsPublished = Coin() }),
            },
            MqttControlPacketType.SubAck => new MqttSubAckPacket
            {
                PacketIdentifier = PacketId(),
                ReasonCodes = Some(() => Coin() ? (MqttSubscribeReasonCode)random.Next(3) : MqttSubscribeReasonCode.NotAuthorized),
                ReasonString = Perhaps(Text),
                UserProperties = UserProperties(),
            },
            MqttControlPacketType.Unsubscribe => new MqttUnsubscribePacket { PacketIdentifier = PacketId(), TopicFilters = Some(Topic) },
            MqttControlPacketType.UnsubAck => new MqttUnsubAckPacket
            {
                PacketIdentifier = PacketId(),
                ReasonCodes = Some(() => Coin() ? MqttUnsubscribeReasonCode.Success : MqttUnsubscribeReasonCode.NoSubscriptionExisted),
                ReasonString = Perhaps(Text),
                UserProperties = UserProperties(),
            },
            MqttControlPacketType.PingReq => MqttPingReqPacket.Instance,
            MqttControlPacketType.PingResp => MqttPingRespPacket.Instance,
            MqttControlPacketType.Disconnect => new MqttDisconnectPacket
            {
                ReasonCode = Coin() ? MqttDisconnectReasonCode.NormalDisconnection : MqttDisconnectReasonCode.ServerShuttingDown,
                ReasonString = Perhaps(Text),
                ServerReference = Perhaps(Text),
                SessionExpiryInterval = Number(),
                UserProperties = UserProperties(),
            },
            _ => new MqttAuthPacket
            {
                ReasonCode = MqttAuthenticateReasonCode.ContinueAuthentication,
                AuthenticationMethod = Text(),
                AuthenticationData = Bytes(100),
            },
        };

    MqttConnectPacket Connect() =>
        new()
        {
            ClientId = Text(),
            CleanSession = true,
            KeepAlivePeriod = (ushort)random.Next(65_536),
            Username = Text(),
            Password = Bytes(50),
            RequestProblemInformation = true,
            SessionExpiryInterval = Number(),
        };

    MqttConnAckPacket Connack()
    {
        var isAccepted = Coin();
        return new MqttConnAckPacket
        {
            ReasonCode = isAccepted ? MqttConnectReasonCode.Success : MqttConnectReasonCode.ServerBusy,
            IsSessionPresent = isAccepted && Coin(),
            SessionExpiryInterval = Number(),
            ReceiveMaximum = (ushort)random.Next(65_536),
            MaximumQoS = (MqttQualityOfServiceLevel)random.Next(3),
            RetainAvailable = Coin(),
            MaximumPacketSize = Number(),
            AssignedClientIdentifier = Perhaps(Text),
            TopicAliasMaximum = (ushort)random.Next(65_536),
            ReasonString = Perhaps(Text),
            WildcardSubscriptionAvailable = Coin(),
            SubscriptionIdentifiersAvailable = Coin(),
            SharedSubscriptionAvailable = Coin(),
            ServerKeepAlive = (ushort)random.Next(65_536),
            ResponseInformation = Perhaps(Text),
            ServerReference = Perhaps(Text),
            AuthenticationMethod = Perhaps(Text),
            AuthenticationData = Coin() ? Bytes(200) : null,
            UserProperties = UserProperties(),
        };
    }

    MqttPublishPacket Publish()
    {
        var qos = (MqttQualityOfServiceLevel)random.Next(3);
        return new MqttPublishPacket
        {
            Topic = Topic(),
            QualityOfServiceLevel = qos,
            PacketIdentifier = qos > 0 ? PacketId() : (ushort)0,
            Dup = qos > 0 && Coin(),
            Retain = Coin(),
            Payload = new ReadOnlySequence<byte>(Bytes(random.Next(20) == 0 ? 40_000 : 300)),
            PayloadFormatIndicator = (MqttPayloadFormatIndicator)random.Next(2),
            MessageExpiryInterval = Number(),
            ResponseTopic = Perhaps(Topic),
            CorrelationData = Coin() ? Bytes(200) : null,
            ContentType = Perhaps(Text),
            SubscriptionIdentifiers = Coin() ? Some(() => (uint)random.Next(1, 268_435_456)) : null,
            UserProperties = UserProperties(),
        };
    }

    List<MqttUserProperty>? UserProperties() =>
        Coin() ? null : Some(() => new MqttUserProperty(Text(), new ReadOnlyMemory<byte>(Encoding.UTF8.GetBytes(Text()))));

    /// <summary>0 half of the time, which MQTTnet leaves out.</summary>
    uint Number() => Coin() ? 0 : (uint)random.NextInt64(1, (long)uint.MaxValue + 1);

    string? Perhaps(Func<string> make) => random.Next(3) == 0 ? make() : null;

    List<T> Some<T>(Func<T> make) => [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => make())];

    string Text()
    {
        var text = new StringBuilder();
        for (var i = random.Next(random.Next(10) == 0 ? 300 : 20); i > 0; i--)
        {
            // ASCII mostly; some of two, three and four bytes.
            text.Append(
                random.Next(8) switch
                {
                    0 => new Rune(random.Next(0x80, 0x800)),
                    1 => new Rune(random.Next(0x800, 0xD800)),
                    2 => new Rune(random.Next(0x10000, 0x110000)),
                    _ => new Rune(random.Next(0x20, 0x7F)),
                }
            );
        }
        return text.ToString();
    }

    string Topic() => "t/" + Text().Replace('+', '_').Replace('#', '_');

    byte[] Bytes(int most)
    {
        var bytes = new byte[random.Next(most + 1)];
        random.NextBytes(bytes);
        return bytes;
    }

    ushort PacketId() => (ushort)random.Next(1, 65_536);

    bool Coin() => random.Next(2) == 0;
}
