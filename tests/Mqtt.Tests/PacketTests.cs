using System.Buffers;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>
/// What goes out and what is let in, against bytes worked out by hand from the OASIS MQTT 5.0 standard. MQTTnet encodes and decodes; these
/// tests are also for the
/// next version of it.
/// </summary>
public sealed class PacketTests(ITestOutputHelper output)
{
    const int Limit = 268_435_460;

    static MqttPacket Decode(byte[] bytes)
    {
        Assert.True(PacketDecoder.TryFrame(bytes, Limit, out var bodyStart, out var size));
        Assert.Equal(bytes.Length, size);
        return new PacketDecoder().Decode(bytes[0], new ArraySegment<byte>(bytes, bodyStart, size - bodyStart));
    }

    static T Decode<T>(string hex)
        where T : MqttPacket => Assert.IsType<T>(Decode(Hex(hex)));

    static byte[] Hex(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));

    static string Encode(MqttPacket packet)
    {
        var bytes = new PacketBuffer();
        bytes.Add(packet);
        return Convert.ToHexString(bytes.Written.Span);
    }

    static void AssertBytes(string hex, string encoded) => Assert.Equal(Convert.ToHexString(Hex(hex)), encoded);

    static MqttProtocolException Fails(string hex) => Assert.Throws<MqttProtocolException>(() => Decode(Hex(hex)));

    [Fact]
    public void Packets_that_are_sent_have_the_bytes_of_the_standard()
    {
        // §3.3.2.4: topic "a/b", packet identifier 10, no properties; QoS 1, retained, sent before.
        AssertBytes(
            "3B 0B 0003 612F62 000A 00 78797A",
            Encode(
                new MqttPublishPacket
                {
                    Topic = "a/b",
                    PacketIdentifier = 10,
                    QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
                    Retain = true,
                    Dup = true,
                    Payload = new ReadOnlySequence<byte>("xyz"u8.ToArray()),
                }
            )
        );
        AssertBytes(
            "30 0F 0003 612F62 06 03 0003 782F79 78797A",
            Encode(
                new MqttPublishPacket
                {
                    Topic = "a/b",
                    ContentType = "x/y",
                    Payload = new ReadOnlySequence<byte>("xyz"u8.ToArray()),
                }
            )
        );
        AssertBytes("40 02 1234", Encode(new MqttPubAckPacket { PacketIdentifier = 0x1234 }));
        AssertBytes("50 02 1234", Encode(new MqttPubRecPacket { PacketIdentifier = 0x1234 }));
        AssertBytes("70 02 1234", Encode(new MqttPubCompPacket { PacketIdentifier = 0x1234 }));
        // §3.8.3.2 and §3.10.3: filters "a/b" with QoS 1 and "c/d" with QoS 0 and retain handling 1.
        AssertBytes(
            "82 0F 000A 00 0003 612F62 01 0003 632F64 10",
            Encode(
                new MqttSubscribePacket
                {
                    PacketIdentifier = 10,
                    TopicFilters =
                    [
                        new MqttTopicFilter { Topic = "a/b", QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce },
                        new MqttTopicFilter { Topic = "c/d", RetainHandling = MqttRetainHandling.SendAtSubscribeIfNewSubscriptionOnly },
                    ],
                }
            )
        );
        AssertBytes(
            "A2 0D 000A 00 0003 612F62 0003 632F64",
            Encode(new MqttUnsubscribePacket { PacketIdentifier = 10, TopicFilters = ["a/b", "c/d"] })
        );
        AssertBytes("C0 00", Encode(MqttPingReqPacket.Instance));
        AssertBytes("E0 02 00 00", Encode(new MqttDisconnectPacket()));
        AssertBytes("E0 02 81 00", Encode(new MqttDisconnectPacket { ReasonCode = MqttDisconnectReasonCode.MalformedPacket }));
    }

    [Theory]
    // The boundaries of table 1-1, §1.5.5, less topic and property length.
    [InlineData(127, "7F")]
    [InlineData(128, "80 01")]
    [InlineData(16_383, "FF 7F")]
    [InlineData(16_384, "80 80 01")]
    [InlineData(2_097_151, "FF FF 7F")]
    [InlineData(2_097_152, "80 80 80 01")]
    public void The_remaining_length_has_the_bytes_of_the_standard(int length, string hex)
    {
        var encoded = Encode(new MqttPublishPacket { Topic = "t", Payload = new ReadOnlySequence<byte>(new byte[length - 4]) });

        Assert.StartsWith("30" + Convert.ToHexString(Hex(hex)) + "00017400", encoded, StringComparison.Ordinal);
        Assert.True(PacketDecoder.TryFrame(Convert.FromHexString(encoded), Limit, out var bodyStart, out var size));
        Assert.Equal(length, size - bodyStart);
    }

    [Fact]
    public void A_disconnect_that_discards_the_session_says_so()
    {
        var bytes = new PacketBuffer();
        bytes.AddDisconnectAndDiscard();

        // §3.14.2: reason 0, five bytes of properties, Session Expiry Interval 0.
        AssertBytes("E0 07 00 05 11 00000000", Convert.ToHexString(bytes.Written.Span));
    }

    [Fact]
    public void Connack_is_read_as_the_standard_writes_it()
    {
        var connack = Decode<MqttConnAckPacket>("20 17 01 00 14 21 0014 24 01 25 00 27 00100000 13 003C 12 0002 6162");
        var limits = BrokerLimits.From(connack);

        Assert.True(connack.IsSessionPresent);
        Assert.Equal(MqttConnectReasonCode.Success, connack.ReasonCode);
        Assert.Equal(new BrokerLimits(20, MqttQos.AtLeastOnce, RetainAvailable: false, 1_048_576), limits);
        Assert.Equal(60, connack.ServerKeepAlive);
        Assert.Equal("ab", connack.AssignedClientIdentifier);
    }

    [Fact]
    public void A_connack_without_properties_means_the_limits_of_the_standard()
    {
        var limits = BrokerLimits.From(Decode<MqttConnAckPacket>("20 03 00 00 00"));

        Assert.Equal(new BrokerLimits(65_535, MqttQos.ExactlyOnce, RetainAvailable: true, uint.MaxValue), limits);
    }

    [Fact]
    public void Publish_is_read_as_the_standard_writes_it()
    {
        var publish = Decode<MqttPublishPacket>("3B 11 0003 612F62 000A 06 03 0003 782F79 78797A");

        Assert.Equal(("a/b", 10, "x/y"), (publish.Topic, publish.PacketIdentifier, publish.ContentType));
        Assert.Equal((MqttQualityOfServiceLevel.AtLeastOnce, true, true), (publish.QualityOfServiceLevel, publish.Retain, publish.Dup));
        Assert.Equal("xyz"u8.ToArray(), publish.Payload.ToArray());
    }

    [Theory]
    [InlineData("40 02 1234", MqttReasonCode.Success)]
    [InlineData("40 03 1234 10", MqttReasonCode.NoMatchingSubscribers)]
    [InlineData("40 04 1234 87 00", MqttReasonCode.NotAuthorized)]
    [InlineData("40 03 1234 F7", (MqttReasonCode)0xF7)]
    public void An_acknowledgement_may_leave_out_what_is_usual(string hex, MqttReasonCode reason)
    {
        var ack = Decode<MqttPubAckPacket>(hex);

        Assert.Equal((0x1234, reason), (ack.PacketIdentifier, (MqttReasonCode)ack.ReasonCode));
    }

    [Fact]
    public void The_other_packets_of_a_broker_are_read_as_the_standard_writes_them()
    {
        Assert.Equal(0x1234, Decode<MqttPubRelPacket>("62 02 1234").PacketIdentifier);
        Assert.Equal(MqttPubRelReasonCode.PacketIdentifierNotFound, Decode<MqttPubRelPacket>("62 03 1234 92").ReasonCode);
        Assert.Equal(
            [MqttSubscribeReasonCode.GrantedQoS1, MqttSubscribeReasonCode.NotAuthorized],
            Decode<MqttSubAckPacket>("90 05 000A 00 01 87").ReasonCodes
        );
        Assert.Equal([MqttUnsubscribeReasonCode.NoSubscriptionExisted], Decode<MqttUnsubAckPacket>("B0 04 000A 00 11").ReasonCodes);
        Assert.IsType<MqttPingRespPacket>(Decode(Hex("D0 00")));
        Assert.Equal(MqttDisconnectReasonCode.NormalDisconnection, Decode<MqttDisconnectPacket>("E0 00").ReasonCode);
        Assert.Equal(MqttDisconnectReasonCode.SessionTakenOver, Decode<MqttDisconnectPacket>("E0 02 8E 00").ReasonCode);
        Assert.Equal("full", Decode<MqttDisconnectPacket>("E0 09 97 07 1F 0004 66756C6C").ReasonString);
    }

    [Theory]
    [InlineData("00 00", "type 0 is forbidden")]
    [InlineData("36 05 0001 74 0001", "QoS 3")]
    [InlineData("38 04 0001 74 00", "a duplicate of QoS 0")]
    [InlineData("C1 00", "reserved flags of PINGREQ")]
    [InlineData("D1 00", "reserved flags of PINGRESP")]
    [InlineData("41 02 0001", "reserved flags of PUBACK")]
    [InlineData("60 02 0001", "PUBREL needs flags 0010")]
    [InlineData("80 0A 0001 00 0001 61 00", "SUBSCRIBE needs flags 0010")]
    [InlineData("30 FF FF FF FF 7F", "remaining length of five bytes")]
    [InlineData("D0 80 00", "remaining length with a needless byte")]
    [InlineData("30 05 0001 74 80 00", "property length with a needless byte")]
    [InlineData("30 04 0005 74 00", "the topic is longer than the packet")]
    [InlineData("30 04 0001 74 05", "the properties are longer than the packet")]
    [InlineData("30 08 0001 74 04 03 0009 78", "a property is longer than the packet")]
    [InlineData("30 0C 0001 74 03 03 0004 78797A7A 00", "a property is longer than the properties")]
    [InlineData("30 04 0001 2B 00", "+ in a topic")]
    [InlineData("30 06 0003 612F23 00", "# in a topic")]
    [InlineData("30 04 0001 00 00", "U+0000 in a topic")]
    [InlineData("30 05 0002 C0AF 00", "overlong UTF-8")]
    [InlineData("30 06 0003 EDA080 00", "a surrogate in UTF-8")]
    [InlineData("30 04 0001 FF 00", "no UTF-8")]
    [InlineData("30 08 0001 74 04 03 0001 FF", "no UTF-8 in a content type")]
    [InlineData("30 08 0001 74 04 03 0001 00", "U+0000 in a content type")]
    [InlineData("30 06 0001 74 02 7F 00", "property 127 does not exist")]
    [InlineData("20 01 00", "CONNACK ends too soon")]
    [InlineData("20 02 00 00", "CONNACK of success without properties")]
    [InlineData("20 03 02 00 00", "reserved CONNACK flag")]
    [InlineData("20 04 00 00 00 00", "bytes after the packet")]
    [InlineData("D0 01 00", "PINGRESP with a body")]
    [InlineData("40 00", "PUBACK without a packet identifier")]
    [InlineData("40 01 00", "half a packet identifier")]
    [InlineData("40 06 0001 00 00 00 00", "PUBACK longer than its properties")]
    [InlineData("90 02 0001", "SUBACK without properties")]
    [InlineData("E0 04 00 00 00 00", "DISCONNECT longer than its properties")]
    public void A_malformed_packet_is_said_to_be_malformed(string hex, string why)
    {
        output.WriteLine(why);

        Assert.Equal(MqttReasonCode.MalformedPacket, Fails(hex).Reason);
    }

    [Theory]
    [InlineData("30 03 0000 00", "an empty topic without alias")]
    [InlineData("32 06 0001 74 0000 00", "packet identifier 0 in PUBLISH")]
    [InlineData("40 02 0000", "packet identifier 0 in PUBACK")]
    [InlineData("62 02 0000", "packet identifier 0 in PUBREL")]
    [InlineData("90 04 0000 00 00", "packet identifier 0 in SUBACK")]
    [InlineData("B0 04 0000 00 00", "packet identifier 0 in UNSUBACK")]
    [InlineData("30 08 0001 74 04 01 00 01 00", "a property twice")]
    [InlineData("30 0C 0001 74 08 03 0001 61 03 0001 62", "a content type twice")]
    [InlineData("20 09 00 00 06 21 0001 21 0002", "receive maximum twice")]
    [InlineData("30 06 0001 74 02 01 02", "payload format indicator 2")]
    [InlineData("30 06 0001 74 02 0B 00", "subscription identifier 0")]
    [InlineData("30 07 0001 74 03 21 0001", "receive maximum in PUBLISH")]
    [InlineData("20 07 00 00 04 03 0001 61", "content type in CONNACK")]
    [InlineData("20 06 00 00 03 21 0000", "receive maximum 0")]
    [InlineData("20 08 00 00 05 27 00000000", "maximum packet size 0")]
    [InlineData("20 05 00 00 02 24 02", "maximum QoS 2 is never said")]
    [InlineData("20 05 00 00 02 25 02", "retain available 2")]
    [InlineData("20 03 01 87 00", "session present in a refusal")]
    [InlineData("90 03 0001 00", "SUBACK without reasons")]
    [InlineData("B0 03 0001 00", "UNSUBACK without reasons")]
    [InlineData("90 04 0001 00 03", "SUBACK grants QoS 3")]
    [InlineData("90 04 0001 00 7F", "SUBACK grants QoS 127")]
    [InlineData("10 0D 0004 4D515454 05 02 0000 00 0000", "CONNECT is for a broker")]
    [InlineData("50 02 0001", "PUBREC for a message of QoS 2, which this client never sends")]
    [InlineData("70 02 0001", "PUBCOMP")]
    [InlineData("82 07 0001 00 0001 61 00", "SUBSCRIBE is for a broker")]
    [InlineData("A2 06 0001 00 0001 61", "UNSUBSCRIBE is for a broker")]
    [InlineData("C0 00", "PINGREQ is for a broker")]
    [InlineData("F0 00", "AUTH was not asked for")]
    public void A_packet_that_breaks_a_rule_is_a_protocol_error(string hex, string why)
    {
        output.WriteLine(why);

        Assert.Equal(MqttReasonCode.ProtocolError, Fails(hex).Reason);
    }

    [Theory]
    [InlineData("30 07 0001 74 03 23 0000", "topic alias 0")]
    [InlineData("30 07 0001 74 03 23 0001", "a topic alias, of which none was allowed")]
    [InlineData("30 07 0000 03 23 0001 78", "a topic alias in place of a topic")]
    public void A_topic_alias_has_a_reason_of_its_own(string hex, string why)
    {
        output.WriteLine(why);

        Assert.Equal(MqttReasonCode.TopicAliasInvalid, Fails(hex).Reason);
    }

    [Fact]
    public void A_packet_larger_than_announced_is_refused_when_its_length_is_known()
    {
        var exception = Assert.Throws<MqttProtocolException>(() => PacketDecoder.TryFrame(Hex("30 80 08"), 1024, out _, out _));
        PacketDecoder.TryFrame(Hex("30 FD 07"), 1024, out _, out var size);

        Assert.Equal(MqttReasonCode.PacketTooLarge, exception.Reason);
        Assert.Equal(1024, size);
    }

    [Fact]
    public void A_message_full_of_user_properties_takes_no_memory_but_its_own()
    {
        const int Properties = 200_000;
        // Five bytes each: user property, empty name, empty value. Around the middle, a content type.
        List<byte> block = [];
        for (var i = 0; i < Properties; i++)
        {
            if (i == Properties / 2)
                block.AddRange(Hex("03 0003 782F79"));
            block.AddRange(Hex("26 0000 0000"));
        }
        Assert.Equal(1_000_006, block.Count);
        byte[] body = [.. Hex("0001 74 0007 C6 84 3D"), .. block, .. "payload"u8];
        var decoder = new PacketDecoder();
        decoder.Decode(0x32, Hex("0001 74 0007 00"));

        var before = GC.GetAllocatedBytesForCurrentThread();
        var publish = Assert.IsType<MqttPublishPacket>(decoder.Decode(0x32, body));
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(("t", 7, "x/y"), (publish.Topic, publish.PacketIdentifier, publish.ContentType));
        Assert.Equal("payload"u8.ToArray(), publish.Payload.ToArray());
        Assert.Null(publish.UserProperties);
        Assert.True(allocated < 10_000, $"{allocated} bytes for {body.Length}");
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("/", true)]
    [InlineData("+", true)]
    [InlineData("#", true)]
    [InlineData("sport/tennis/player1/#", true)]
    [InlineData("+/tennis/#", true)]
    [InlineData("/+", true)]
    [InlineData("$share/consumer1/sport/tennis/+", true)]
    [InlineData("$share/consumer1//finance", true)]
    [InlineData("$SYS/#", true)]
    [InlineData("", false)]
    [InlineData("sport/tennis#", false)]
    [InlineData("sport/tennis/#/ranking", false)]
    [InlineData("sport+", false)]
    [InlineData("$share", false)]
    [InlineData("$share/group", false)]
    [InlineData("$share/group/", false)]
    [InlineData("$share//a", false)]
    [InlineData("$share/g+/a", false)]
    [InlineData("a\0b", false)]
    public void Topic_filters_are_valid_as_in_the_standards_examples(string filter, bool isValid) =>
        Assert.Equal(isValid, MqttTopic.FilterProblem(filter) is null);

    [Fact]
    public void Every_valid_packet_of_a_broker_gets_through_unchanged()
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"THERMAL_TEST_SEED={seed}");
        var packets = new RandomPackets(random);

        for (var i = 0; i < 20_000; i++)
        {
            var packet = packets.Next(RandomPackets.ForClient[i % RandomPackets.ForClient.Length]);
            var decoded = Decode(packets.Encode(packet));

            // Nobody reads these, and they are left out.
            if (packet is MqttPublishPacket publish)
            {
                publish.UserProperties = null;
                publish.SubscriptionIdentifiers = null;
            }
            Assert.Equal(packet.GetType(), decoded.GetType());
            Assert.Equal(packets.Encode(packet), packets.Encode(decoded));
        }
    }

    [Fact]
    public void Any_part_of_a_packet_asks_for_more_and_nothing_else()
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"THERMAL_TEST_SEED={seed}");
        var packets = new RandomPackets(random);

        for (var i = 0; i < 300; i++)
        {
            var bytes = packets.Encode(packets.Next());
            for (var length = 0; length < bytes.Length; length++)
                Assert.False(PacketDecoder.TryFrame(bytes.AsSpan(0, length), Limit, out _, out _));
        }
    }

    [Fact]
    public void Two_hundred_thousand_mutated_packets_give_packets_or_clean_errors()
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"THERMAL_TEST_SEED={seed}");
        var packets = new RandomPackets(random);
        var decoder = new PacketDecoder();
        int decoded = 0,
            refused = 0,
            partial = 0;

        for (var i = 0; i < 200_000; i++)
        {
            var bytes = Mutate(packets.Encode(packets.Next(RandomPackets.ForClient[i % RandomPackets.ForClient.Length])), random);
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                if (PacketDecoder.TryFrame(bytes, 1_000_000, out var bodyStart, out var size))
                {
                    // What was read can be written and read again.
                    var packet = decoder.Decode(bytes[0], new ArraySegment<byte>(bytes, bodyStart, size - bodyStart));
                    decoded++;
                    var again = packets.Encode(packet);
                    Assert.Equal(again, packets.Encode(Decode([.. again])));
                }
                else
                    partial++;
            }
            catch (MqttProtocolException e)
            {
                Assert.True((byte)e.Reason >= 0x80);
                Assert.NotEmpty(e.Message);
                refused++;
            }
            // A length field alone makes nobody allocate.
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1_000_000 + 200L * bytes.Length, $"{Convert.ToHexString(bytes)}");
        }

        output.WriteLine($"decoded {decoded}, refused {refused}, incomplete {partial}");
        Assert.True(decoded > 10_000 && refused > 10_000 && partial > 1_000);
    }

    static byte[] Mutate(byte[] bytes, Random random)
    {
        for (var n = random.Next(1, 4); n > 0; n--)
        {
            var at = random.Next(bytes.Length);
            switch (random.Next(7))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes[at] = random.Next(2) == 0 ? (byte)0 : (byte)0xFF;
                    break;
                case 3:
                    bytes = bytes[..Math.Max(1, at)];
                    break;
                case 4:
                    bytes = [.. bytes[..at], (byte)random.Next(256), .. bytes[at..]];
                    break;
                case 5:
                    bytes = [.. bytes[..at], .. bytes[(at + 1)..]];
                    bytes = bytes.Length == 0 ? [0] : bytes;
                    break;
                default:
                    // Keep the length right, so that the damage reaches the inside.
                    if (bytes.Length is > 3 and < 120)
                    {
                        bytes = [.. bytes, (byte)random.Next(256)];
                        bytes[1] = (byte)(bytes.Length - 2);
                    }
                    break;
            }
        }
        return bytes;
    }
}
