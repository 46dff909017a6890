using System.Text;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>Random packets of all fifteen types, valid by MQTT 5.0. The property lists are written down here from §3 again, and not taken
/// from the codec.</summary>
sealed class RandomPackets(Random random)
{
    static readonly MqttPropertyId[] ack = [MqttPropertyId.ReasonString];

    static readonly (MqttPropertyId Id, Func<RandomPackets, MqttProperty> Make)[] makers =
    [
        (MqttPropertyId.PayloadFormatIndicator, r => r.Number(1)),
        (MqttPropertyId.MessageExpiryInterval, r => r.Number(uint.MaxValue)),
        (MqttPropertyId.ContentType, r => r.TextProperty()),
        (MqttPropertyId.ResponseTopic, r => new MqttProperty { Text = r.Topic() }),
        (MqttPropertyId.CorrelationData, r => new MqttProperty { Data = r.Bytes(200) }),
        (MqttPropertyId.SubscriptionIdentifier, r => r.Number(268_435_454, from: 1)),
        (MqttPropertyId.SessionExpiryInterval, r => r.Number(uint.MaxValue)),
        (MqttPropertyId.AssignedClientIdentifier, r => r.TextProperty()),
        (MqttPropertyId.ServerKeepAlive, r => r.Number(65_535)),
        (MqttPropertyId.AuthenticationMethod, r => r.TextProperty()),
        (MqttPropertyId.AuthenticationData, r => new MqttProperty { Data = r.Bytes(200) }),
        (MqttPropertyId.RequestProblemInformation, r => r.Number(1)),
        (MqttPropertyId.WillDelayInterval, r => r.Number(uint.MaxValue)),
        (MqttPropertyId.RequestResponseInformation, r => r.Number(1)),
        (MqttPropertyId.ResponseInformation, r => r.TextProperty()),
        (MqttPropertyId.ServerReference, r => r.TextProperty()),
        (MqttPropertyId.ReasonString, r => r.TextProperty()),
        (MqttPropertyId.ReceiveMaximum, r => r.Number(65_534, from: 1)),
        (MqttPropertyId.TopicAliasMaximum, r => r.Number(65_535)),
        (MqttPropertyId.TopicAlias, r => r.Number(65_534, from: 1)),
        (MqttPropertyId.MaximumQos, r => r.Number(1)),
        (MqttPropertyId.RetainAvailable, r => r.Number(1)),
        (MqttPropertyId.MaximumPacketSize, r => r.Number(uint.MaxValue - 1, from: 1)),
        (MqttPropertyId.WildcardSubscriptionAvailable, r => r.Number(1)),
        (MqttPropertyId.SubscriptionIdentifierAvailable, r => r.Number(1)),
        (MqttPropertyId.SharedSubscriptionAvailable, r => r.Number(1)),
    ];

    public MqttPacket Next() => Next((MqttPacketType)random.Next(1, 16));

    public MqttPacket Next(MqttPacketType type) => type switch
    {
        MqttPacketType.Connect => new ConnectPacket(Text(), Coin(), (ushort)random.Next(65_536))
        {
            Will = Coin() ? Will() : null,
            UserName = Coin() ? Text() : null,
            Password = Coin() ? Bytes(50) : null,
            Properties = Properties(MqttPropertyId.SessionExpiryInterval, MqttPropertyId.ReceiveMaximum, MqttPropertyId.MaximumPacketSize,
                MqttPropertyId.TopicAliasMaximum, MqttPropertyId.RequestResponseInformation, MqttPropertyId.RequestProblemInformation,
                MqttPropertyId.AuthenticationMethod, MqttPropertyId.AuthenticationData),
        },
        MqttPacketType.Connack => Connack(),
        MqttPacketType.Publish => Publish(),
        MqttPacketType.Subscribe => new SubscribePacket(PacketId(), Some(() => new SubscribeFilter(Filter(), (MqttQos)random.Next(3), false, Coin(), (byte)random.Next(3))))
        {
            Properties = Properties(MqttPropertyId.SubscriptionIdentifier),
        },
        MqttPacketType.Suback => new SubackPacket(type, PacketId(), Some(() => Coin() ? (MqttReasonCode)random.Next(3) : MqttReasonCode.NotAuthorized)) { Properties = Properties(ack) },
        MqttPacketType.Unsuback => new SubackPacket(type, PacketId(), Some(() => Coin() ? MqttReasonCode.Success : MqttReasonCode.NoSubscriptionExisted)) { Properties = Properties(ack) },
        MqttPacketType.Unsubscribe => new UnsubscribePacket(PacketId(), Some(Filter)) { Properties = Properties() },
        MqttPacketType.Pingreq => new PingreqPacket(),
        MqttPacketType.Pingresp => new PingrespPacket(),
        MqttPacketType.Disconnect => new DisconnectPacket(Coin() ? MqttReasonCode.Success : MqttReasonCode.ServerShuttingDown)
        {
            Properties = Properties(MqttPropertyId.SessionExpiryInterval, MqttPropertyId.ReasonString, MqttPropertyId.ServerReference),
        },
        MqttPacketType.Auth => new AuthPacket(random.Next(3) switch { 0 => MqttReasonCode.Success, 1 => MqttReasonCode.ContinueAuthentication, _ => MqttReasonCode.Reauthenticate })
        {
            Properties = Properties(MqttPropertyId.AuthenticationMethod, MqttPropertyId.AuthenticationData, MqttPropertyId.ReasonString),
        },
        _ => new AckPacket(type, PacketId(), Coin() ? MqttReasonCode.Success : MqttReasonCode.UnspecifiedError) { Properties = Properties(ack) },
    };

    public static byte[] Encode(MqttPacket packet)
    {
        var writer = new MqttWriter();
        MqttCodec.Encode(writer, packet);
        return writer.Written.ToArray();
    }

    ConnackPacket Connack()
    {
        var reason = Coin() ? MqttReasonCode.Success : MqttReasonCode.ServerBusy;
        return new ConnackPacket(reason == MqttReasonCode.Success && Coin(), reason)
        {
            Properties = Properties(MqttPropertyId.SessionExpiryInterval, MqttPropertyId.ReceiveMaximum, MqttPropertyId.MaximumQos,
                MqttPropertyId.RetainAvailable, MqttPropertyId.MaximumPacketSize, MqttPropertyId.AssignedClientIdentifier,
                MqttPropertyId.TopicAliasMaximum, MqttPropertyId.ReasonString, MqttPropertyId.WildcardSubscriptionAvailable,
                MqttPropertyId.SubscriptionIdentifierAvailable, MqttPropertyId.SharedSubscriptionAvailable, MqttPropertyId.ServerKeepAlive,
                MqttPropertyId.ResponseInformation, MqttPropertyId.ServerReference, MqttPropertyId.AuthenticationMethod,
                MqttPropertyId.AuthenticationData),
        };
    }

    PublishPacket Publish()
    {
        var qos = (MqttQos)random.Next(3);
        var properties = Properties(MqttPropertyId.PayloadFormatIndicator, MqttPropertyId.MessageExpiryInterval, MqttPropertyId.TopicAlias,
            MqttPropertyId.ResponseTopic, MqttPropertyId.CorrelationData, MqttPropertyId.SubscriptionIdentifier, MqttPropertyId.ContentType);
        var topic = properties.Number(MqttPropertyId.TopicAlias) is not null && Coin() ? "" : Topic();
        return new PublishPacket(topic, Bytes(random.Next(20) == 0 ? 40_000 : 300), qos, Coin(), qos > 0 && Coin(), qos > 0 ? PacketId() : (ushort)0) { Properties = properties };
    }

    WillPacket Will() => new(Topic(), Bytes(100), (MqttQos)random.Next(3), Coin())
    {
        Properties = Properties(MqttPropertyId.WillDelayInterval, MqttPropertyId.PayloadFormatIndicator, MqttPropertyId.MessageExpiryInterval,
            MqttPropertyId.ContentType, MqttPropertyId.ResponseTopic, MqttPropertyId.CorrelationData),
    };

    MqttProperties Properties(params ReadOnlySpan<MqttPropertyId> allowed)
    {
        List<MqttProperty> items = [];
        foreach (var (id, make) in makers)
        {
            if (allowed.Contains(id) && random.Next(3) == 0 && (id != MqttPropertyId.AuthenticationData || items.Exists(p => p.Id == MqttPropertyId.AuthenticationMethod)))
                items.Add(make(this) with { Id = id });
        }
        while (random.Next(4) == 0)
            items.Add(new MqttProperty(MqttPropertyId.UserProperty) { Name = Text(), Text = Text() });
        return items.Count == 0 ? MqttProperties.None : new MqttProperties([.. items.OrderBy(_ => random.Next())]);
    }

    MqttProperty Number(uint most, uint from = 0) => new() { Number = (uint)random.NextInt64(from, (long)most + 1) };

    MqttProperty TextProperty() => new() { Text = Text() };

    T[] Some<T>(Func<T> make) => [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => make())];

    string Text()
    {
        var text = new StringBuilder();
        for (var i = random.Next(random.Next(10) == 0 ? 300 : 20); i > 0; i--)
        {
            // ASCII mostly; some of two, three and four bytes.
            text.Append(random.Next(8) switch
            {
                0 => new Rune(random.Next(0x80, 0x800)),
                1 => new Rune(random.Next(0x800, 0xD800)),
                2 => new Rune(random.Next(0x10000, 0x110000)),
                _ => new Rune(random.Next(0x20, 0x7F)),
            });
        }
        return text.ToString();
    }

    string Topic() => "t/" + Text().Replace('+', '_').Replace('#', '_');

    string Filter() => random.Next(4) switch { 0 => "#", 1 => $"+/{Topic()}", 2 => $"$share/group/{Topic()}/#", _ => Topic() };

    byte[] Bytes(int most)
    {
        var bytes = new byte[random.Next(most + 1)];
        random.NextBytes(bytes);
        return bytes;
    }

    ushort PacketId() => (ushort)random.Next(1, 65_536);

    bool Coin() => random.Next(2) == 0;
}
