using ThermalStreaming.Testing;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>Packets that come in pieces, together, broken or cut off.</summary>
public sealed class FramingTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Packets_that_come_one_byte_at_a_time_are_understood()
    {
        await using var broker = new FakeBroker(
            async (connection, _) =>
            {
                await connection.ReadAsync(ServerPackets.Connect);
                await connection.SendSlowlyAsync(ServerPackets.Connack());
                var body = await connection.ReadAsync(ServerPackets.Subscribe);
                await connection.SendSlowlyAsync(ServerPackets.Suback(body, MqttReasonCode.GrantedQos1));
                for (ushort id = 1; id <= 20; id++)
                    await connection.SendSlowlyAsync(ServerPackets.Publish(id, $"message {id}"));
                await connection.DrainAsync();
            }
        );
        await using var client = await new RunningClient(broker.Options("t")).ReadyAsync();

        var messages = await client.ReceiveAsync(20);

        Assert.Equal(Enumerable.Range(1, 20).Select(i => $"message {i}"), messages.Select(m => m.Text()));
    }

    [Fact]
    public async Task Messages_in_one_segment_with_connack_are_not_lost()
    {
        await using var broker = new FakeBroker(
            async (connection, _) =>
            {
                await connection.ReadAsync(ServerPackets.Connect);
                var third = ServerPackets.Publish(3, "c");
                await connection.SendAsync([
                    .. ServerPackets.Connack(sessionPresent: true),
                    .. ServerPackets.Publish(1, "a"),
                    .. ServerPackets.Publish(2, "b"),
                    third[0],
                ]);
                await connection.SendAsync(third.AsMemory(1));
                await connection.DrainAsync();
            }
        );
        await using var client = new RunningClient(broker.Options());

        var messages = await client.ReceiveAsync(3);

        Assert.Equal(["a", "b", "c"], messages.Select(m => m.Text()));
        Assert.Same(messages[0].Topic, messages[2].Topic);
    }

    [Theory]
    [InlineData("PUBLISH with QoS 3", "36 05 0001 74 0001", MqttReasonCode.MalformedPacket)]
    [InlineData("PUBLISH to a topic with a wildcard", "30 04 0001 2B 00", MqttReasonCode.MalformedPacket)]
    [InlineData("PUBLISH with packet id 0", "32 06 0001 74 0000 00", MqttReasonCode.ProtocolError)]
    [InlineData("PUBLISH with a topic alias, of which none is allowed", "32 09 0001 74 0001 03 23 0001", MqttReasonCode.TopicAliasInvalid)]
    [InlineData("PUBLISH with a topic alias in place of a topic", "30 07 0000 03 23 0001 78", MqttReasonCode.TopicAliasInvalid)]
    [InlineData("PUBLISH of 256 MiB", "30 FF FF FF 7F", MqttReasonCode.PacketTooLarge)]
    [InlineData("a second CONNACK", "20 03 00 00 00", MqttReasonCode.ProtocolError)]
    [InlineData("SUBSCRIBE", "82 07 0001 00 0001 61 00", MqttReasonCode.ProtocolError)]
    [InlineData("PINGREQ", "C0 00", MqttReasonCode.ProtocolError)]
    [InlineData("AUTH", "F0 00", MqttReasonCode.ProtocolError)]
    [InlineData("PUBREC for a packet that was not sent", "50 02 0001", MqttReasonCode.ProtocolError)]
    [InlineData("SUBACK for a packet that was not sent", "90 04 0042 00 00", MqttReasonCode.ProtocolError)]
    [InlineData("UNSUBACK for a packet that was not sent", "B0 04 0042 00 00", MqttReasonCode.ProtocolError)]
    [InlineData("the packet type that does not exist", "00 00", MqttReasonCode.MalformedPacket)]
    [InlineData("PINGRESP with a reserved flag", "D1 00", MqttReasonCode.MalformedPacket)]
    public async Task A_broken_packet_is_answered_with_disconnect_and_its_reason_and_a_new_connection(
        string packet,
        string hex,
        MqttReasonCode reason
    )
    {
        output.WriteLine(packet);
        var answer = new TaskCompletionSource<(byte First, byte[] Body)>();
        await using var broker = new FakeBroker(
            async (connection, number) =>
            {
                await connection.AcceptAsync();
                if (number == 1)
                {
                    await connection.SendHexAsync(hex);
                    answer.TrySetResult(await connection.ReadAsync());
                }
                await connection.DrainAsync();
            }
        );
        await using var client = new RunningClient(broker.Options());

        var (first, body) = await answer.Task.Within();
        await Wait.UntilAsync(() => client.Client.State is { Generation: 2, IsConnected: true }, "there is a new connection");

        Assert.Equal(ServerPackets.Disconnect, first);
        Assert.Equal(reason, (MqttReasonCode)body[0]);
        Assert.Contains(client.Snapshot(), s => s.LastReason == reason);
    }

    [Fact]
    public async Task A_connection_closed_in_the_middle_of_a_packet_is_made_anew()
    {
        await using var broker = new FakeBroker(
            async (connection, number) =>
            {
                await connection.AcceptAsync();
                if (number == 1)
                {
                    await connection.SendAsync(ServerPackets.Publish(1, "whole message").AsMemory(0, 9));
                    return;
                }
                await connection.SendPublishAsync(1, "whole message", duplicate: true);
                await connection.DrainAsync();
            }
        );
        await using var client = new RunningClient(broker.Options());

        var message = await client.ReceiveAsync();

        Assert.Equal("whole message", message.Text());
        await client.UntilErrorAsync("in the middle of a packet");
    }

    [Fact]
    public async Task Two_thousand_garbled_connections_leave_a_client_that_works()
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"THERMAL_TEST_SEED={seed}");
        var packets = new RandomPackets(random);
        await using var broker = new FakeBroker(
            async (connection, number) =>
            {
                if (number % 4 != 0)
                    await connection.AcceptAsync();
                if (number > 2000)
                {
                    await connection.GrantAsync();
                    await connection.SendPublishAsync(1, "made it");
                    await connection.DrainAsync();
                    return;
                }
                List<byte> bytes = [];
                for (var n = random.Next(1, 5); n > 0; n--)
                    bytes.AddRange(packets.Encode(packets.Next()));
                for (var n = random.Next(4); n > 0; n--)
                    bytes[random.Next(bytes.Count)] = (byte)random.Next(256);
                await connection.SendAsync(bytes.ToArray());
            }
        );
        var options = broker.Options("t");
        options.MaximumReconnectDelay = TimeSpan.FromMilliseconds(1);
        options.MaximumPacketSize = 1_000_000;
        await using var client = new RunningClient(options);

        MqttMessage message;
        do message = await client.ReceiveAsync();
        while (message.Text() != "made it");

        Assert.DoesNotContain(client.Snapshot(), s => s.LastError?.Contains("fault of this program", StringComparison.Ordinal) == true);
    }
}
