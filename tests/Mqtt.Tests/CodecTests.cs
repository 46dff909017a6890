using System.Collections;
using System.Reflection;
using System.Text;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>The wire format, against bytes worked out by hand from the OASIS MQTT 5.0 standard, and against itself.</summary>
public sealed class CodecTests(ITestOutputHelper output)
{
    const int Limit = 268_435_460;

    static MqttPacket Decode(ReadOnlySpan<byte> bytes)
    {
        Assert.True(MqttCodec.TryFrame(bytes, Limit, out var bodyStart, out var size));
        Assert.Equal(bytes.Length, size);
        return MqttCodec.Decode(bytes[0], bytes[bodyStart..]);
    }

    static byte[] Hex(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));

    static MqttProtocolException Fails(string hex)
    {
        var bytes = Hex(hex);
        return Assert.Throws<MqttProtocolException>(() =>
        {
            if (MqttCodec.TryFrame(bytes, Limit, out var bodyStart, out var size))
                MqttCodec.Decode(bytes[0], bytes.AsSpan(bodyStart, size - bodyStart));
            else
                Assert.Fail("It is a part of a packet.");
        });
    }

    [Theory]
    // The boundaries of table 1-1, §1.5.5.
    [InlineData(0u, "00")]
    [InlineData(127u, "7F")]
    [InlineData(128u, "80 01")]
    [InlineData(16_383u, "FF 7F")]
    [InlineData(16_384u, "80 80 01")]
    [InlineData(2_097_151u, "FF FF 7F")]
    [InlineData(2_097_152u, "80 80 80 01")]
    [InlineData(268_435_455u, "FF FF FF 7F")]
    public void A_variable_byte_integer_has_the_bytes_of_the_standard(uint value, string hex)
    {
        var writer = new MqttWriter();
        writer.WriteVariable(value);

        Assert.Equal(Hex(hex), writer.Written.ToArray());
        Assert.Equal(value, new MqttReader(Hex(hex)).ReadVariable());
        Assert.Equal(Hex(hex).Length, MqttCodec.VariableLength(value));
    }

    [Fact]
    public void A_string_of_the_standards_example_has_its_bytes()
    {
        // §1.5.4.1: "A" and U+2A6D4, with the length before it.
        var writer = new MqttWriter();
        writer.WriteString("A\U0002A6D4");

        Assert.Equal(Hex("00 05 41 F0 AA 9B 94"), writer.Written.ToArray());
        Assert.Equal("A\U0002A6D4", new MqttReader(writer.Written.Span).ReadString());
    }

    [Fact]
    public void Connect_has_the_bytes_of_the_standard()
    {
        // Header; name, level 5; flags user, password, will retain, will QoS 1, will, clean start; keep-alive 10;
        // properties: session expiry 10 (as in §3.1.2.11 figure 3-6), receive maximum 1000; client id; will properties, topic, payload; user; password.
        var expected = Hex("10 2C 0004 4D515454 05 EE 000A 08 11 0000000A 21 03E8 0002 6331 05 03 0002 612F 0001 74 0003 6F6666 0001 75 0002 7077");
        var connect = new ConnectPacket("c1", CleanStart: true, KeepAlive: 10)
        {
            Properties = new MqttProperties([
                new MqttProperty(MqttPropertyId.SessionExpiryInterval) { Number = 10 },
                new MqttProperty(MqttPropertyId.ReceiveMaximum) { Number = 1000 },
            ]),
            Will = new WillPacket("t", "off"u8.ToArray(), MqttQos.AtLeastOnce, Retain: true)
            {
                Properties = new MqttProperties([new MqttProperty(MqttPropertyId.ContentType) { Text = "a/" }]),
            },
            UserName = "u",
            Password = "pw"u8.ToArray(),
        };

        Assert.Equal(Convert.ToHexString(expected), Convert.ToHexString(RandomPackets.Encode(connect)));
        AssertSame(connect, Decode(expected));
    }

    [Fact]
    public void Connack_is_read_as_the_standard_writes_it()
    {
        var connack = Assert.IsType<ConnackPacket>(Decode(Hex("20 17 01 00 14 21 0014 24 01 25 00 27 00100000 13 003C 12 0002 6162")));

        Assert.True(connack.SessionPresent);
        Assert.Equal(MqttReasonCode.Success, connack.Reason);
        Assert.Equal(20u, connack.Properties.Number(MqttPropertyId.ReceiveMaximum));
        Assert.Equal(1u, connack.Properties.Number(MqttPropertyId.MaximumQos));
        Assert.Equal(0u, connack.Properties.Number(MqttPropertyId.RetainAvailable));
        Assert.Equal(1_048_576u, connack.Properties.Number(MqttPropertyId.MaximumPacketSize));
        Assert.Equal(60u, connack.Properties.Number(MqttPropertyId.ServerKeepAlive));
        Assert.Equal("ab", connack.Properties.Text(MqttPropertyId.AssignedClientIdentifier));
    }

    [Fact]
    public void Publish_has_the_bytes_of_the_standard()
    {
        // §3.3.2.4: topic "a/b", packet identifier 10, no properties.
        var writer = new MqttWriter();
        MqttCodec.EncodePublish(writer, "a/b", "xyz"u8, MqttQos.AtLeastOnce, retain: true, duplicate: true, packetId: 10, contentType: null);
        var withType = new MqttWriter();
        MqttCodec.EncodePublish(withType, "a/b", "xyz"u8, MqttQos.AtMostOnce, retain: false, duplicate: false, packetId: 0, contentType: "x/y");

        Assert.Equal(Hex("3B 0B 0003 612F62 000A 00 78797A"), writer.Written.ToArray());
        Assert.Equal(Hex("30 0F 0003 612F62 06 03 0003 782F79 78797A"), withType.Written.ToArray());
        Assert.Equal(writer.Length, MqttCodec.PublishSize("a/b", 3, MqttQos.AtLeastOnce, null));
        Assert.Equal(withType.Length, MqttCodec.PublishSize("a/b", 3, MqttQos.AtMostOnce, "x/y"));
        AssertSame(new PublishPacket("a/b", "xyz"u8.ToArray(), MqttQos.AtLeastOnce, true, true, 10), Decode(writer.Written.Span));
    }

    [Theory]
    [InlineData("40 02 1234", MqttPacketType.Puback, MqttReasonCode.Success)]
    [InlineData("40 03 1234 10", MqttPacketType.Puback, MqttReasonCode.NoMatchingSubscribers)]
    [InlineData("40 04 1234 87 00", MqttPacketType.Puback, MqttReasonCode.NotAuthorized)]
    [InlineData("50 02 1234", MqttPacketType.Pubrec, MqttReasonCode.Success)]
    [InlineData("62 03 1234 92", MqttPacketType.Pubrel, MqttReasonCode.PacketIdentifierNotFound)]
    [InlineData("70 02 1234", MqttPacketType.Pubcomp, MqttReasonCode.Success)]
    public void Acknowledgements_may_leave_out_what_is_usual(string hex, object type, MqttReasonCode reason)
    {
        var ack = Assert.IsType<AckPacket>(Decode(Hex(hex)));
        var shortest = new MqttWriter();
        MqttCodec.EncodeAck(shortest, ack.Type, ack.PacketId, ack.Reason);

        Assert.Equal(((MqttPacketType)type, (ushort)0x1234, reason), (ack.Type, ack.PacketId, ack.Reason));
        AssertSame(ack, Decode(shortest.Written.Span));
    }

    [Fact]
    public void Subscribe_and_unsubscribe_have_the_bytes_of_the_standard()
    {
        // §3.8.3.2 and §3.10.3: filters "a/b" with QoS 1 and "c/d" with QoS 2.
        var subscribe = new SubscribePacket(10, [new SubscribeFilter("a/b", MqttQos.AtLeastOnce, false, false, 0), new SubscribeFilter("c/d", MqttQos.ExactlyOnce, true, true, 2)]);
        var unsubscribe = new UnsubscribePacket(10, ["a/b", "c/d"]);

        Assert.Equal(Hex("82 0F 000A 00 0003 612F62 01 0003 632F64 2E"), RandomPackets.Encode(subscribe));
        Assert.Equal(Hex("A2 0D 000A 00 0003 612F62 0003 632F64"), RandomPackets.Encode(unsubscribe));
        AssertSame(new SubackPacket(MqttPacketType.Suback, 10, [MqttReasonCode.GrantedQos1, MqttReasonCode.NotAuthorized]), Decode(Hex("90 05 000A 00 01 87")));
        AssertSame(new SubackPacket(MqttPacketType.Unsuback, 10, [MqttReasonCode.NoSubscriptionExisted]), Decode(Hex("B0 04 000A 00 11")));
    }

    [Fact]
    public void Ping_disconnect_and_auth_have_the_bytes_of_the_standard()
    {
        Assert.Equal(Hex("C0 00"), RandomPackets.Encode(new PingreqPacket()));
        Assert.Equal(Hex("D0 00"), RandomPackets.Encode(new PingrespPacket()));
        Assert.Equal(Hex("E0 00"), RandomPackets.Encode(new DisconnectPacket(MqttReasonCode.Success)));
        Assert.Equal(Hex("E0 01 81"), RandomPackets.Encode(new DisconnectPacket(MqttReasonCode.MalformedPacket)));
        Assert.Equal(Hex("E0 07 00 05 11 00000000"), RandomPackets.Encode(new DisconnectPacket(MqttReasonCode.Success)
        {
            Properties = new MqttProperties([new MqttProperty(MqttPropertyId.SessionExpiryInterval) { Number = 0 }]),
        }));
        Assert.Equal(Hex("F0 06 18 04 15 0001 78"), RandomPackets.Encode(new AuthPacket(MqttReasonCode.ContinueAuthentication)
        {
            Properties = new MqttProperties([new MqttProperty(MqttPropertyId.AuthenticationMethod) { Text = "x" }]),
        }));
        AssertSame(new DisconnectPacket(MqttReasonCode.Success), Decode(Hex("E0 00")));
        AssertSame(new DisconnectPacket(MqttReasonCode.SessionTakenOver), Decode(Hex("E0 02 8E 00")));
        AssertSame(new AuthPacket(MqttReasonCode.Success), Decode(Hex("F0 00")));
    }

    [Theory]
    [InlineData("00 00", "type 0 is forbidden")]
    [InlineData("36 05 0001 74 0001", "QoS 3")]
    [InlineData("38 04 0001 74 00", "a duplicate of QoS 0")]
    [InlineData("C1 00", "reserved flags of PINGREQ")]
    [InlineData("41 02 0001", "reserved flags of PUBACK")]
    [InlineData("60 02 0001", "PUBREL needs flags 0010")]
    [InlineData("80 0A 0001 00 0001 61 00", "SUBSCRIBE needs flags 0010")]
    [InlineData("30 FF FF FF FF 7F", "remaining length of five bytes")]
    [InlineData("D0 80 00", "remaining length with a needless byte")]
    [InlineData("30 05 0001 74 80 00", "property length with a needless byte")]
    [InlineData("30 04 0005 74 00", "the topic is longer than the packet")]
    [InlineData("30 04 0001 74 05", "the properties are longer than the packet")]
    [InlineData("30 04 0001 2B 00", "+ in a topic")]
    [InlineData("30 06 0003 612F23 00", "# in a topic")]
    [InlineData("30 04 0001 00 00", "U+0000 in a topic")]
    [InlineData("30 05 0002 C0AF 00", "overlong UTF-8")]
    [InlineData("30 06 0003 EDA080 00", "a surrogate in UTF-8")]
    [InlineData("30 04 0001 FF 00", "no UTF-8")]
    [InlineData("30 06 0001 74 02 7F 00", "property 127 does not exist")]
    [InlineData("20 01 00", "CONNACK ends too soon")]
    [InlineData("20 03 02 00 00", "reserved CONNACK flag")]
    [InlineData("20 04 00 00 00 00", "bytes after the packet")]
    [InlineData("D0 01 00", "PINGRESP with a body")]
    [InlineData("40 01 00", "half a packet identifier")]
    [InlineData("40 06 0001 00 00 00 00", "PUBACK longer than its properties")]
    [InlineData("82 07 0001 00 0001 61 03", "QoS 3 in subscription options")]
    [InlineData("82 07 0001 00 0001 61 30", "retain handling 3")]
    [InlineData("82 07 0001 00 0001 61 40", "reserved subscription options")]
    [InlineData("10 0D 0004 4D515454 05 01 0000 00 0000", "reserved connect flag")]
    [InlineData("10 0D 0004 4D515454 05 18 0000 00 0000", "will QoS without a will")]
    [InlineData("10 0D 0004 4D515454 05 1C 0000 00 0000", "will QoS 3")]
    public void A_malformed_packet_is_said_to_be_malformed(string hex, string why)
    {
        output.WriteLine(why);

        Assert.Equal(MqttReasonCode.MalformedPacket, Fails(hex).Reason);
    }

    [Theory]
    [InlineData("30 03 0000 00", "an empty topic without alias")]
    [InlineData("32 06 0001 74 0000 00", "packet identifier 0 in PUBLISH")]
    [InlineData("40 02 0000", "packet identifier 0 in PUBACK")]
    [InlineData("90 04 0000 00 00", "packet identifier 0 in SUBACK")]
    [InlineData("30 08 0001 74 04 01 00 01 00", "a property twice")]
    [InlineData("30 06 0001 74 02 01 02", "payload format indicator 2")]
    [InlineData("30 06 0001 74 02 0B 00", "subscription identifier 0")]
    [InlineData("30 07 0001 74 03 21 0001", "receive maximum in PUBLISH")]
    [InlineData("30 08 0001 74 04 08 0001 23", "a wildcard in the response topic")]
    [InlineData("20 06 00 00 03 21 0000", "receive maximum 0")]
    [InlineData("20 08 00 00 05 27 00000000", "maximum packet size 0")]
    [InlineData("20 05 00 00 02 24 02", "maximum QoS 2 is never said")]
    [InlineData("20 03 01 87 00", "session present in a refusal")]
    [InlineData("20 07 00 00 04 16 0001 61", "authentication data without a method")]
    [InlineData("82 03 0001 00", "SUBSCRIBE without filters")]
    [InlineData("A2 03 0001 00", "UNSUBSCRIBE without filters")]
    [InlineData("90 03 0001 00", "SUBACK without reasons")]
    [InlineData("90 04 0001 00 03", "SUBACK grants QoS 3")]
    [InlineData("82 10 0001 00 000A 2473686172652F672F61 04", "No Local on a shared subscription")]
    [InlineData("F0 02 87 00", "AUTH with an error")]
    public void A_packet_that_breaks_a_rule_is_a_protocol_error(string hex, string why)
    {
        output.WriteLine(why);

        Assert.Equal(MqttReasonCode.ProtocolError, Fails(hex).Reason);
    }

    [Fact]
    public void Closer_reasons_are_given_where_the_standard_has_them()
    {
        Assert.Equal(MqttReasonCode.TopicAliasInvalid, Fails("30 07 0001 74 03 23 0000").Reason);
        Assert.Equal(MqttReasonCode.TopicFilterInvalid, Fails("82 09 0001 00 0003 612362 00").Reason);
        Assert.Equal(MqttReasonCode.UnsupportedProtocolVersion, Fails("10 0C 0004 4D515454 04 00 0000 0000").Reason);
    }

    [Fact]
    public void A_packet_larger_than_announced_is_refused_when_its_length_is_known()
    {
        var exception = Assert.Throws<MqttProtocolException>(() => MqttCodec.TryFrame(Hex("30 80 08"), 1024, out _, out _));
        MqttCodec.TryFrame(Hex("30 FD 07"), 1024, out _, out var size);

        Assert.Equal(MqttReasonCode.PacketTooLarge, exception.Reason);
        Assert.Equal(1024, size);
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
    public void Every_packet_round_trips_with_random_contents()
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"THERMAL_TEST_SEED={seed}");
        var packets = new RandomPackets(random);

        for (var i = 0; i < 20_000; i++)
        {
            var packet = packets.Next((MqttPacketType)(i % 15 + 1));
            var bytes = RandomPackets.Encode(packet);
            var decoded = Decode(bytes);

            AssertSame(packet, decoded);
            Assert.Equal(bytes, RandomPackets.Encode(decoded));
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
            var bytes = RandomPackets.Encode(packets.Next());
            for (var length = 0; length < bytes.Length; length++)
                Assert.False(MqttCodec.TryFrame(bytes.AsSpan(0, length), Limit, out _, out _));
        }
    }

    [Fact]
    public void Two_hundred_thousand_mutated_packets_give_packets_or_clean_errors()
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"THERMAL_TEST_SEED={seed}");
        var packets = new RandomPackets(random);
        int decoded = 0, refused = 0, partial = 0;

        for (var i = 0; i < 200_000; i++)
        {
            var bytes = Mutate(RandomPackets.Encode(packets.Next((MqttPacketType)(i % 15 + 1))), random);
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                if (MqttCodec.TryFrame(bytes, 1_000_000, out var bodyStart, out var size))
                {
                    var packet = MqttCodec.Decode(bytes[0], bytes.AsSpan(bodyStart, size - bodyStart));
                    decoded++;
                    // What was read can be written and read again.
                    AssertSame(packet, Decode(RandomPackets.Encode(packet)));
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

    /// <summary>Compares two packets down to the last byte of their properties.</summary>
    static void AssertSame(MqttPacket expected, MqttPacket actual) => Assert.Equal(Describe(expected), Describe(actual));

    static string Describe(object? value)
    {
        switch (value)
        {
            case null:
                return "null";
            case string text:
                return $"'{text}'";
            case ReadOnlyMemory<byte> bytes:
                return Convert.ToHexString(bytes.Span);
            case IEnumerable items:
                return $"[{string.Join(", ", items.Cast<object>().Select(Describe))}]";
            default:
                var type = value.GetType();
                if (type.IsPrimitive || type.IsEnum)
                    return value.ToString()!;
                var text2 = new StringBuilder(type.Name);
                foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance).OrderBy(p => p.Name))
                    text2.Append(' ').Append(property.Name).Append('=').Append(Describe(property.GetValue(value)));
                return text2.Append(';').ToString();
        }
    }
}
