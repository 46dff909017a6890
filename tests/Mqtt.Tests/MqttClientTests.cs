using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Threading.Channels;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>The client against brokers that misbehave, or behave in ways a real one rarely does.</summary>
public sealed class MqttClientTests(ITestOutputHelper output)
{
    static readonly ushort[] outOfOrder = [7, 3, 9, 4];
    static readonly string[] fourPayloads = ["a", "b", "c", "d"];

    static string Text(MqttMessage message) => Encoding.UTF8.GetString(message.Payload.Span);

    static Task<MqttReasonCode> Publish(RunningClient client, string payload, bool retain = false) =>
        client.Client.PublishAsync("t", Encoding.UTF8.GetBytes(payload), MqttQos.AtLeastOnce, retain);

    static Task UntilErrorAsync(RunningClient client, string text) => Wait.UntilAsync(
        () => client.Snapshot().Any(s => s.LastError?.Contains(text, StringComparison.Ordinal) == true), $"an error says '{text}'",
        () => string.Join('\n', client.Snapshot().TakeLast(5)));

    [Fact]
    public async Task Packets_that_come_one_byte_at_a_time_are_understood()
    {
        await using var broker = new FakeBroker(async (connection, _) =>
        {
            await connection.ReadAsync(0x10);
            await connection.SendSlowlyAsync([0x20, 3, 0, 0, 0]);
            var body = await connection.ReadAsync(0x82);
            await connection.SendSlowlyAsync([0x90, 4, body[0], body[1], 0, 1]);
            for (ushort id = 1; id <= 20; id++)
                await connection.SendSlowlyAsync(FakeConnection.Publish(id, $"message {id}"));
            await connection.DrainAsync();
        });
        await using var client = await new RunningClient(broker.Options("t")).ReadyAsync();

        var messages = await client.ReceiveAsync(20);

        Assert.Equal(Enumerable.Range(1, 20).Select(i => $"message {i}"), messages.Select(Text));
    }

    [Fact]
    public async Task Messages_in_one_segment_with_connack_are_not_lost()
    {
        await using var broker = new FakeBroker(async (connection, _) =>
        {
            await connection.ReadAsync(0x10);
            await connection.SendAsync([0x20, 3, 1, 0, 0, .. FakeConnection.Publish(1, "a"), .. FakeConnection.Publish(2, "b"), 0x32]);
            await connection.SendAsync(FakeConnection.Publish(3, "c").AsMemory(1));
            await connection.DrainAsync();
        });
        await using var client = new RunningClient(broker.Options());

        var messages = await client.ReceiveAsync(3);

        Assert.Equal(["a", "b", "c"], messages.Select(Text));
        Assert.Same(messages[0].Topic, messages[2].Topic);
    }

    [Fact]
    public async Task Acknowledgements_leave_in_the_order_of_arrival_whatever_the_consumers_order()
    {
        var acks = Channel.CreateUnbounded<int>();
        await using var broker = new FakeBroker(async (connection, _) =>
        {
            await connection.AcceptAsync();
            foreach (var id in outOfOrder)
                await connection.SendPublishAsync(id, "x");
            while (true)
                acks.Writer.TryWrite(BinaryPrimitives.ReadUInt16BigEndian(await connection.ReadAsync(0x40)));
        });
        await using var client = new RunningClient(broker.Options());
        var messages = await client.ReceiveAsync(4);

        client.Client.Acknowledge(messages[2]);
        client.Client.Acknowledge(messages[1]);
        client.Client.Acknowledge(messages[2]);
        client.Client.Acknowledge(messages[0]);
        client.Client.Acknowledge(messages[3]);
        List<int> order = [];
        while (order.Count < 4)
            order.Add(await acks.Reader.ReadAsync().AsTask().Within());

        Assert.Equal([7, 3, 9, 4], order);
        Assert.Equal(4, client.Client.Counters.Acknowledged);
    }

    [Fact]
    public async Task An_acknowledgement_never_goes_to_another_connection_than_the_message_came_by()
    {
        var onSecond = Channel.CreateUnbounded<string>();
        await using var broker = new FakeBroker(async (connection, number) =>
        {
            await connection.AcceptAsync(sessionPresent: number > 1);
            if (number == 1)
            {
                await connection.SendPublishAsync(5, "first");
                await connection.SendPublishAsync(6, "second");
                return;
            }
            await connection.SendPublishAsync(5, "first", duplicate: true);
            await connection.SendPublishAsync(6, "second", duplicate: true);
            while (true)
            {
                var (first, body) = await connection.ReadAsync();
                onSecond.Writer.TryWrite($"{first:X2}{Convert.ToHexString(body)}");
            }
        });
        await using var client = new RunningClient(broker.Options());
        var messages = await client.ReceiveAsync(4);

        // All but 5 of this connection: were a stale 5 counted for it, both would leave before the message published next.
        client.Client.Acknowledge(messages[0]);
        client.Client.Acknowledge(messages[1]);
        client.Client.Acknowledge(messages[3]);
        var stale = client.Client.Counters.StaleAcknowledgements;
        await client.Client.PublishAsync("t", Array.Empty<byte>(), MqttQos.AtMostOnce).Within();
        List<string> order = [await onSecond.Reader.ReadAsync().AsTask().Within()];
        client.Client.Acknowledge(messages[2]);
        order.Add(await onSecond.Reader.ReadAsync().AsTask().Within());
        order.Add(await onSecond.Reader.ReadAsync().AsTask().Within());

        Assert.Equal([1, 1, 2, 2], messages.Select(m => m.Generation));
        Assert.Equal([false, false, true, true], messages.Select(m => m.Duplicate));
        Assert.Equal(2, stale);
        Assert.Equal(["3000017400", "400005", "400006"], order);
        Assert.Equal(2, client.Client.Counters.Acknowledged);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_was_in_flight_is_sent_again_in_order(bool sessionKept)
    {
        var second = new TaskCompletionSource<List<(bool Duplicate, ushort Id, string Payload)>>();
        List<(bool Duplicate, ushort Id, string Payload)> first = [];
        await using var broker = new FakeBroker(async (connection, number) =>
        {
            await connection.AcceptAsync(sessionPresent: number > 1 && sessionKept);
            if (number == 1)
            {
                while (first.Count < 4)
                    first.Add(await connection.ReadPublishAsync());
                // Acknowledge the second only, and go.
                await connection.SendPubackAsync(first[1].Id);
                return;
            }
            List<(bool, ushort, string)> again = [];
            while (again.Count < 4)
            {
                var publish = await connection.ReadPublishAsync();
                again.Add(publish);
                await connection.SendPubackAsync(publish.Id);
            }
            second.TrySetResult(again);
            await connection.DrainAsync();
        });
        await using var client = new RunningClient(broker.Options());

        var publishes = fourPayloads.Select(p => Publish(client, p)).ToList();
        await publishes[1].Within();
        await Wait.UntilAsync(() => client.Client.State is { Generation: 2, IsConnected: true }, "there is a new connection");
        publishes.Add(Publish(client, "e"));
        await Task.WhenAll(publishes).Within();
        var repeated = await second.Task.Within();

        Assert.Equal(["a", "c", "d", "e"], repeated.Select(p => p.Payload));
        Assert.Equal([sessionKept, sessionKept, sessionKept, false], repeated.Select(p => p.Duplicate));
        Assert.Equal(4, repeated.Select(p => p.Id).Distinct().Count());
        if (sessionKept)
            Assert.Equal(new[] { first[0].Id, first[2].Id, first[3].Id }, repeated.Take(3).Select(p => p.Id));
        Assert.Equal(5, client.Client.Published);
    }

    [Fact]
    public async Task No_more_is_in_flight_than_the_broker_allows()
    {
        const int Allowed = 2;
        var atOnce = 0;
        await using var broker = new FakeBroker(async (connection, _) =>
        {
            await connection.AcceptAsync(properties: "21 0002");
            Queue<ushort> unacknowledged = new();
            for (var received = 0; received < 50; received++)
            {
                unacknowledged.Enqueue((await connection.ReadPublishAsync()).Id);
                if (unacknowledged.Count < Allowed)
                    continue;
                // All that the client will send until it is answered has had time to come.
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
                atOnce = Math.Max(atOnce, unacknowledged.Count + (connection.Available > 0 ? 1 : 0));
                await connection.SendPubackAsync(unacknowledged.Dequeue());
            }
            while (unacknowledged.TryDequeue(out var id))
                await connection.SendPubackAsync(id);
            await connection.DrainAsync();
        });
        await using var client = new RunningClient(broker.Options());

        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Publish(client, $"{i}"))).Within();

        Assert.Equal(Allowed, atOnce);
        Assert.Equal(Allowed, client.Client.State.ServerReceiveMaximum);
    }

    [Fact]
    public async Task What_the_broker_cannot_take_is_refused_here_and_not_sent()
    {
        await using var broker = new FakeBroker(async (connection, _) =>
        {
            await connection.AcceptAsync(properties: "24 00 25 00 27 00000064");
            await connection.DrainAsync();
        });
        await using var client = await new RunningClient(broker.Options()).ReadyAsync();

        var qos = await Assert.ThrowsAsync<MqttPublishRefusedException>(() => Publish(client, "x").Within());
        var retain = await Assert.ThrowsAsync<MqttPublishRefusedException>(() => client.Client.PublishAsync("t", new byte[1], MqttQos.AtMostOnce, retain: true).Within());
        var size = await Assert.ThrowsAsync<MqttPublishRefusedException>(() => client.Client.PublishAsync("t", new byte[100], MqttQos.AtMostOnce).Within());
        await client.Client.PublishAsync("t", new byte[94], MqttQos.AtMostOnce).Within();

        Assert.Equal(MqttReasonCode.QosNotSupported, qos.Reason);
        Assert.Equal(MqttReasonCode.RetainNotSupported, retain.Reason);
        Assert.Equal(MqttReasonCode.PacketTooLarge, size.Reason);
        Assert.Contains("106 bytes, the broker takes 100", size.Message, StringComparison.Ordinal);
        Assert.Equal(3, client.Client.Refused);
        Assert.True(client.Client.State.IsConnected);
    }

    [Fact]
    public async Task A_refused_publish_says_why_and_frees_its_place()
    {
        await using var broker = new FakeBroker(async (connection, _) =>
        {
            await connection.AcceptAsync(properties: "21 0001");
            var id = (await connection.ReadPublishAsync()).Id;
            // PUBACK 0x97 with the reason string "full".
            await connection.SendAsync([0x40, 11, (byte)(id >> 8), (byte)id, 0x97, 7, 0x1F, 0, 4, (byte)'f', (byte)'u', (byte)'l', (byte)'l']);
            await connection.SendPubackAsync((await connection.ReadPublishAsync()).Id);
            await connection.DrainAsync();
        });
        await using var client = new RunningClient(broker.Options());

        var refused = Publish(client, "a");
        var accepted = Publish(client, "b");
        var exception = await Assert.ThrowsAsync<MqttPublishRefusedException>(() => refused.Within());
        await accepted.Within();

        Assert.Equal(MqttReasonCode.QuotaExceeded, exception.Reason);
        Assert.Contains("full", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("20 03 00 84 00", "MQTT 5.0")]
    [InlineData("20 03 00 85 00", "client id")]
    [InlineData("20 03 00 86 00", "user 'pi'")]
    [InlineData("20 03 00 87 00", "MQTT_USER and MQTT_PASSWORD")]
    [InlineData("20 03 00 88 00", "server unavailable (0x88)")]
    [InlineData("20 03 00 8A 00", "banned")]
    [InlineData("20 03 00 97 00", "quota exceeded")]
    [InlineData("20 0B 00 9C 08 1C 0005 6F74686572", "other")]
    [InlineData("20 02 00 01", "does not speak MQTT 5.0")]
    [InlineData("90 04 0001 00 00", "SUBACK came instead of CONNACK")]
    [InlineData("48 54 54 50 2F 31 2E 31", "is that an MQTT 5 broker?")]
    public async Task A_refusal_is_explained_and_tried_again(string answer, string explanation)
    {
        await using var broker = new FakeBroker(async (connection, number) =>
        {
            if (number < 3)
            {
                await connection.ReadAsync(0x10);
                await connection.SendHexAsync(answer);
                return;
            }
            await connection.AcceptAsync();
            await connection.DrainAsync();
        });
        var options = broker.Options();
        options.UserName = "pi";
        options.Password = "secret";
        await using var client = await new RunningClient(options).ReadyAsync();

        var first = client.Snapshot()[0];

        Assert.Contains(explanation, first.LastError, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", first.LastError, StringComparison.Ordinal);
        Assert.False(first.IsConnected);
    }

    [Fact]
    public async Task A_broker_that_says_nothing_is_given_up_after_the_connect_timeout()
    {
        await using var broker = new FakeBroker(async (connection, number) =>
        {
            if (number > 1)
                await connection.AcceptAsync();
            await connection.DrainAsync();
        });
        var options = broker.Options();
        options.ConnectTimeout = TimeSpan.FromMilliseconds(300);
        await using var client = await new RunningClient(options).ReadyAsync();

        Assert.Contains("did not answer within 0.3 s", client.Snapshot()[0].LastError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_listening_is_explained()
    {
        var broker = new FakeBroker((_, _) => Task.CompletedTask);
        var options = broker.Options();
        await broker.DisposeAsync();
        await using var client = new RunningClient(options);

        await UntilErrorAsync(client, "nothing listens there");
    }

    [Theory]
    [InlineData("36 05 0001 74 0001", 0x81)]
    [InlineData("30 04 0001 2B 00", 0x81)]
    [InlineData("32 06 0001 74 0000 00", 0x82)]
    [InlineData("32 09 0001 74 0001 03 23 0001", 0x94)]
    [InlineData("30 07 0000 03 23 0001 78", 0x94)]
    [InlineData("30 FF FF FF 7F", 0x95)]
    [InlineData("20 03 00 00 00", 0x82)]
    [InlineData("82 07 0001 00 0001 61 00", 0x82)]
    [InlineData("C0 00", 0x82)]
    [InlineData("F0 00", 0x82)]
    [InlineData("50 02 0001", 0x82)]
    [InlineData("90 04 0042 00 00", 0x82)]
    [InlineData("B0 04 0042 00 00", 0x82)]
    [InlineData("00 00", 0x81)]
    [InlineData("D1 00", 0x81)]
    public async Task A_broken_packet_is_answered_with_disconnect_and_its_reason_and_a_new_connection(string hex, byte reason)
    {
        var answer = new TaskCompletionSource<(byte First, byte[] Body)>();
        await using var broker = new FakeBroker(async (connection, number) =>
        {
            await connection.AcceptAsync();
            if (number == 1)
            {
                await connection.SendHexAsync(hex);
                answer.TrySetResult(await connection.ReadAsync());
            }
            await connection.DrainAsync();
        });
        await using var client = new RunningClient(broker.Options());

        var (first, body) = await answer.Task.Within();
        await Wait.UntilAsync(() => client.Client.State is { Generation: 2, IsConnected: true }, "there is a new connection");

        Assert.Equal(0xE0, first);
        Assert.Equal(reason, body[0]);
        Assert.Contains(client.Snapshot(), s => (byte?)s.LastReason == reason);
    }

    [Fact]
    public async Task A_broker_that_sends_more_than_the_receive_maximum_waits_for_the_consumer_and_loses_nothing()
    {
        await using var broker = new FakeBroker(async (connection, _) =>
        {
            await connection.AcceptAsync();
            for (ushort id = 1; id <= 3000; id++)
                await connection.SendPublishAsync(id, "x");
            await connection.DrainAsync();
        });
        var options = broker.Options();
        options.ReceiveMaximum = 10;
        await using var client = new RunningClient(options);

        await Wait.UntilAsync(() => client.Client.Counters.Received == 1000, "as many came as may");
        for (var i = 0; i < 3000; i++)
        {
            Assert.InRange(client.Client.WaitingMessages, 0, 1000);
            client.Client.Acknowledge(await client.ReceiveAsync());
        }

        Assert.Equal(3000, client.Client.Counters.Received);
        Assert.Equal(1, client.Client.Counters.Connections);
    }

    [Fact]
    public async Task Messages_gather_until_half_of_the_brokers_own_window_has_come_or_the_time_is_over()
    {
        var send = Channel.CreateUnbounded<int>();
        await using var broker = new FakeBroker(async (connection, _) =>
        {
            await connection.AcceptAsync();
            ushort id = 0;
            await foreach (var count in send.Reader.ReadAllAsync(connection.Stop))
            {
                for (var i = 0; i < count; i++)
                    await connection.SendPublishAsync(++id, "x");
            }
            await connection.DrainAsync();
        });
        var clock = new ManualClock();
        await using var client = new RunningClient(broker.Options(), clock: clock);
        await SendAsync(20, 20);
        await TakeAsync(20);

        // A window of 20 has been seen: the 10th ends the wait, and no time passes.
        await SendAsync(9, 29);
        var gathering = client.Client.GatherAsync(TimeSpan.FromMilliseconds(50), CancellationToken.None);
        Assert.False(gathering.IsCompleted);
        await SendAsync(1, 30);
        await gathering.Within();
        Assert.Equal(10, client.Client.WaitingMessages);
        Assert.True(client.Client.GatherAsync(TimeSpan.FromMilliseconds(50), CancellationToken.None).IsCompleted);
        await TakeAsync(10);

        // What made the last wait short does not end this one.
        gathering = client.Client.GatherAsync(TimeSpan.FromMilliseconds(50), CancellationToken.None);
        Assert.False(gathering.IsCompleted);
        clock.Advance(TimeSpan.FromMilliseconds(50));
        await gathering.Within();

        using var stop = new CancellationTokenSource();
        gathering = client.Client.GatherAsync(TimeSpan.FromMilliseconds(50), stop.Token);
        Assert.False(gathering.IsCompleted);
        await stop.CancelAsync();
        await gathering.Within();
        send.Writer.Complete();

        async Task SendAsync(int count, int received)
        {
            send.Writer.TryWrite(count);
            await Wait.UntilAsync(() => client.Client.Counters.Received == received, $"{received} have come");
        }

        async Task TakeAsync(int count)
        {
            foreach (var message in await client.ReceiveAsync(count))
                client.Client.Acknowledge(message);
        }
    }

    [Fact]
    public async Task Large_messages_do_not_gather_until_the_reader_stops()
    {
        const int Size = 50_000;
        var more = new TaskCompletionSource();
        await using var broker = new FakeBroker(async (connection, _) =>
        {
            await connection.AcceptAsync();
            for (ushort id = 1; id <= 100; id++)
                await connection.SendPublishAsync(id, "x");
            await more.Task;
            for (byte id = 101; id <= 104; id++)
                await connection.SendAsync([0x32, 0xD6, 0x86, 0x03, 0, 1, (byte)'t', 0, id, 0, .. new byte[Size]]);
            await connection.DrainAsync();
        });
        await using var client = new RunningClient(broker.Options(), clock: new ManualClock());
        foreach (var message in await client.ReceiveAsync(100))
            client.Client.Acknowledge(message);

        var gathering = client.Client.GatherAsync(TimeSpan.FromMilliseconds(50), CancellationToken.None);
        Assert.False(gathering.IsCompleted);
        more.SetResult();

        await gathering.Within();
        Assert.Equal(104, client.Client.Counters.Received);
    }

    [Fact]
    public async Task Large_messages_are_read_only_as_earlier_ones_are_acknowledged()
    {
        const int Size = 400_000;
        await using var broker = new FakeBroker(async (connection, _) =>
        {
            await connection.AcceptAsync();
            for (byte id = 1; id <= 20; id++)
                await connection.SendAsync([0x32, 0x86, 0xB5, 0x18, 0, 1, (byte)'t', 0, id, 0, .. new byte[Size]]);
            await connection.DrainAsync();
        });
        await using var client = new RunningClient(broker.Options());

        await Wait.UntilAsync(() => client.Client.Counters.Received == 1, "the first goes beyond 384 KiB");
        var first = await client.ReceiveAsync();
        client.Client.Acknowledge(first);
        await Wait.UntilAsync(() => client.Client.Counters.Received == 2, "one more came");
        for (var i = 1; i < 20; i++)
            client.Client.Acknowledge(await client.ReceiveAsync());

        Assert.Equal(Size, first.Payload.Length);
        Assert.Equal(1, client.Client.Counters.Connections);
    }

    [Fact]
    public async Task A_client_that_cannot_take_more_stays_connected_and_stops_at_once()
    {
        await using var broker = new FakeBroker(async (connection, _) =>
        {
            await connection.AcceptAsync();
            for (ushort id = 1; id <= 3000; id++)
                await connection.SendPublishAsync(id, "x");
            while (true)
                await connection.ReadAsync();
        });
        var options = broker.Options();
        options.KeepAlive = TimeSpan.FromSeconds(2);
        options.ReceiveMaximum = 10;
        var clock = new ManualClock();
        var client = new RunningClient(options, clock: clock);
        await Wait.UntilAsync(() => client.Client.Counters.Received == 1000, "as many came as may");
        var sent = client.Client.Counters.BytesSent;

        // Pings go out twice a keep-alive; their answers wait behind the messages. Time stands still while one is written.
        for (var ping = 1; ping <= 4; ping++)
        {
            clock.Advance(options.KeepAlive / 2);
            await Wait.UntilAsync(() => client.Client.Counters.BytesSent >= sent + 2 * ping, $"it has pinged {ping} times");
        }
        var connections = client.Client.Counters.Connections;
        await client.DisposeAsync();

        Assert.Equal(1, connections);
    }

    [Fact]
    public async Task No_new_connection_is_made_while_messages_of_earlier_ones_wait()
    {
        await using var broker = new FakeBroker(async (connection, number) =>
        {
            await connection.AcceptAsync();
            if (number > 2)
            {
                await connection.DrainAsync();
                return;
            }
            for (ushort id = 1; id <= 10; id++)
                await connection.SendPublishAsync(id, "x");
        });
        var options = broker.Options();
        options.ReceiveMaximum = 10;
        await using var client = new RunningClient(options);

        await UntilErrorAsync(client, "still wait to be processed");
        await client.ReceiveAsync(20);
        await Wait.UntilAsync(() => client.Client.State is { Generation: >= 3, IsConnected: true }, "there is a new connection after the consumer caught up");
    }

    [Fact]
    public async Task No_new_connection_is_made_while_large_messages_of_earlier_ones_wait()
    {
        await using var broker = new FakeBroker(async (connection, number) =>
        {
            await connection.AcceptAsync();
            if (number > 2)
            {
                await connection.DrainAsync();
                return;
            }
            await connection.SendAsync([0x32, 0xC6, 0x9A, 0x0C, 0, 1, (byte)'t', 0, 1, 0, .. new byte[200_000]]);
        });
        await using var client = new RunningClient(broker.Options());

        await UntilErrorAsync(client, "still wait to be processed");
        Assert.Equal(2, client.Client.Counters.Connections);
        await client.ReceiveAsync(2);

        await Wait.UntilAsync(() => client.Client.State is { Generation: >= 3, IsConnected: true }, "there is a new connection after the consumer caught up");
    }

    [Fact]
    public async Task A_connection_closed_in_the_middle_of_a_packet_is_made_anew()
    {
        await using var broker = new FakeBroker(async (connection, number) =>
        {
            await connection.AcceptAsync();
            if (number == 1)
            {
                await connection.SendAsync(FakeConnection.Publish(1, "whole message").AsMemory(0, 9));
                return;
            }
            await connection.SendPublishAsync(1, "whole message", duplicate: true);
            await connection.DrainAsync();
        });
        await using var client = new RunningClient(broker.Options());

        var message = await client.ReceiveAsync();

        Assert.Equal("whole message", Text(message));
        await UntilErrorAsync(client, "in the middle of a packet");
    }

    [Fact]
    public async Task A_broker_that_answers_no_ping_is_left_within_the_keep_alive()
    {
        await using var broker = new FakeBroker(async (connection, number) =>
        {
            await connection.AcceptAsync();
            if (number > 1)
            {
                while (true)
                    await connection.ReadAsync();
            }
            await connection.DrainAsync();
        });
        var options = broker.Options();
        options.KeepAlive = TimeSpan.FromSeconds(1);
        await using var client = new RunningClient(options);

        await UntilErrorAsync(client, "not even an answer to a ping");
        await Wait.UntilAsync(() => client.Client.State is { Generation: >= 2, IsConnected: true }, "there is a new connection");
    }

    [Fact]
    public async Task A_broker_that_sends_but_takes_nothing_is_left()
    {
        await using var broker = new FakeBroker(async (connection, number) =>
        {
            await connection.AcceptAsync();
            if (number > 1)
            {
                while (true)
                    await connection.ReadAsync();
            }
            while (true)
            {
                await connection.SendPublishAsync(0, "alive");
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, connection.Stop);
            }
        });
        var options = broker.Options();
        options.KeepAlive = TimeSpan.FromSeconds(1);
        await using var client = new RunningClient(options);

        // More than the socket buffers of both sides hold.
        _ = client.Client.PublishAsync("t", new byte[64 * 1024 * 1024], MqttQos.AtMostOnce);

        await UntilErrorAsync(client, "took nothing of what was sent");
        await Wait.UntilAsync(() => client.Client.State is { Generation: >= 2, IsConnected: true }, "there is a new connection");
    }

    [Fact]
    public async Task A_large_message_over_a_slow_line_is_not_taken_for_a_dead_connection()
    {
        const int Size = 6 * 1024 * 1024;
        var clock = new ManualClock();
        var sent = new TaskCompletionSource<Func<long>>();
        await using var broker = new FakeBroker(async (connection, _) =>
        {
            await connection.AcceptAsync();
            var bytesSent = await sent.Task;
            // 640 kB/s: ten seconds, several keep-alives, in which nothing is answered. Time passes only when the client has written what
            // there was room for, so that it is the line that is slow and never this machine.
            var buffer = new byte[64 * 1024];
            for (var read = 0; read < Size; read += buffer.Length)
            {
                await connection.ReadIntoAsync(buffer);
                await Wait.UntilAsync(() => bytesSent() >= read, "the client writes on");
                clock.Advance(TimeSpan.FromMilliseconds(100));
            }
            await connection.SendHexAsync("D0 00 40 02 0001");
            await connection.DrainAsync();
        });
        var options = broker.Options();
        options.KeepAlive = TimeSpan.FromSeconds(2);
        await using var client = new RunningClient(options, clock: clock);
        sent.SetResult(() => client.Client.Counters.BytesSent);

        await client.Client.PublishAsync("t", new byte[Size], MqttQos.AtLeastOnce).Within();

        Assert.Equal(1, client.Client.Counters.Connections);
    }

    [Fact]
    public async Task The_brokers_keep_alive_replaces_the_clients()
    {
        var pinged = new TaskCompletionSource();
        await using var broker = new FakeBroker(async (connection, _) =>
        {
            await connection.AcceptAsync(properties: "13 0001");
            Assert.Equal(0xC0, (await connection.ReadAsync(answerPings: false)).First);
            pinged.TrySetResult();
            await connection.SendHexAsync("D0 00");
            await connection.DrainAsync();
        });
        await using var client = new RunningClient(broker.Options());

        await pinged.Task.Within();

        Assert.Equal(TimeSpan.FromSeconds(1), client.Client.State.KeepAlive);
    }

    [Fact]
    public async Task The_client_id_the_broker_assigned_is_kept()
    {
        var connects = Channel.CreateUnbounded<byte[]>();
        await using var broker = new FakeBroker(async (connection, number) =>
        {
            connects.Writer.TryWrite(await connection.AcceptAsync(properties: number == 1 ? "12 0003 616263" : ""));
            if (number > 1)
                await connection.DrainAsync();
        });
        var options = broker.Options();
        options.ClientId = "";
        options.CleanStart = true;
        await using var client = new RunningClient(options);

        var first = await connects.Reader.ReadAsync().AsTask().Within();
        var second = await connects.Reader.ReadAsync().AsTask().Within();

        Assert.EndsWith("0000", Convert.ToHexString(first), StringComparison.Ordinal);
        Assert.EndsWith("0003616263", Convert.ToHexString(second), StringComparison.Ordinal);
        // Clean Start, bit 1 of the flags after name and level, is for the first connection only.
        Assert.Equal((2, 0), (first[7] & 2, second[7] & 2));
    }

    [Fact]
    public async Task Connect_carries_what_the_options_say()
    {
        var connect = new TaskCompletionSource<byte[]>();
        await using var broker = new FakeBroker(async (connection, _) =>
        {
            connect.TrySetResult(await connection.AcceptAsync());
            await connection.DrainAsync();
        });
        var options = broker.Options();
        options.SessionExpiry = MqttOptions.NeverExpires;
        options.ReceiveMaximum = 500;
        options.MaximumPacketSize = 65_536;
        options.KeepAlive = TimeSpan.FromSeconds(60);
        await using var client = new RunningClient(options);

        var body = await connect.Task.Within();

        Assert.Equal("00044D51545405" + "00" + "003C" + "0D" + "11FFFFFFFF" + "2101F4" + "2700010000" + "0006636C69656E74", Convert.ToHexString(body));
    }

    [Fact]
    public async Task Connect_carries_will_user_and_password_as_the_standard_writes_them()
    {
        var body = await ConnectOfAsync(options =>
        {
            options.CleanStart = true;
            options.SessionExpiry = TimeSpan.FromSeconds(10);
            options.KeepAlive = TimeSpan.FromSeconds(10);
            options.UserName = "u";
            options.Password = "pw";
            options.Will = new MqttAnnouncement { Topic = "t", Payload = "off"u8.ToArray(), ContentType = "a/" };
        });

        // Flags: user, password, will retain, will QoS 1, will, clean start. Session expiry 10 is figure 3-6 of §3.1.2.11.
        Assert.Equal(
            "00044D51545405" + "EE" + "000A" + "0D" + "110000000A" + "2103E8" + "2701000000" + "0006636C69656E74"
            + "05" + "030002612F" + "000174" + "00036F6666" + "000175" + "00027077",
            body);
    }

    [Fact]
    public async Task A_password_without_a_user_goes_with_an_empty_user_name()
    {
        var body = await ConnectOfAsync(options => options.Password = "pw");

        // Flags: user and password.
        Assert.StartsWith("00044D51545405" + "C0", body, StringComparison.Ordinal);
        Assert.EndsWith("0006636C69656E74" + "0000" + "00027077", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_without_an_id_starts_clean()
    {
        var body = await ConnectOfAsync(options => options.ClientId = "");

        // Flags: clean start.
        Assert.StartsWith("00044D51545405" + "02", body, StringComparison.Ordinal);
    }

    /// <summary>What follows the remaining length in the first CONNECT of a client with these options, in hex.</summary>
    static async Task<string> ConnectOfAsync(Action<MqttOptions> change)
    {
        var connect = new TaskCompletionSource<byte[]>();
        await using var broker = new FakeBroker(async (connection, _) =>
        {
            connect.TrySetResult(await connection.AcceptAsync());
            await connection.DrainAsync();
        });
        var options = broker.Options();
        change(options);
        await using var client = new RunningClient(options);
        return Convert.ToHexString(await connect.Task.Within());
    }

    [Fact]
    public async Task A_refused_subscription_is_reported_and_tried_again_until_granted()
    {
        var subscribes = 0;
        await using var broker = new FakeBroker(async (connection, _) =>
        {
            await connection.AcceptAsync();
            await connection.GrantAsync(0x87);
            subscribes++;
            await connection.GrantAsync();
            subscribes++;
            await connection.DrainAsync();
        });
        await using var client = new RunningClient(broker.Options("telemetry/#"));

        await UntilErrorAsync(client, "refused the subscription 'telemetry/#'");
        var refused = client.Client.State;
        await client.ReadyAsync();

        Assert.True(refused.IsConnected);
        Assert.False(refused.IsReady);
        Assert.Contains("ACL", refused.LastError, StringComparison.Ordinal);
        Assert.Null(client.Client.State.LastError);
        Assert.Equal(2, subscribes);
        Assert.Equal(1, client.Client.Counters.Connections);
    }

    [Fact]
    public async Task Subscriptions_are_made_on_each_connection_and_an_unanswered_one_ends_it()
    {
        var subscribes = Channel.CreateUnbounded<string>();
        await using var broker = new FakeBroker(async (connection, number) =>
        {
            await connection.AcceptAsync(sessionPresent: number > 1);
            var body = await connection.ReadAsync(0x82);
            subscribes.Writer.TryWrite(Convert.ToHexString(body.AsSpan(2)));
            if (number > 1)
                await connection.SendAsync([0x90, 5, body[0], body[1], 0, 1, 0]);
            await connection.DrainAsync();
        });
        var options = broker.Options("$share/g/t", "u");
        options.ConnectTimeout = TimeSpan.FromMilliseconds(500);
        await using var client = await new RunningClient(options).ReadyAsync();

        var first = await subscribes.Reader.ReadAsync();
        var second = await subscribes.Reader.ReadAsync();

        // No properties; each filter with QoS 1 and retain handling 1.
        Assert.Equal("00" + "000A" + "2473686172652F672F74" + "11" + "0001" + "75" + "11", first);
        Assert.Equal(first, second);
        await UntilErrorAsync(client, "did not answer a subscription request");
    }

    [Theory]
    [InlineData("E0 02 8E 00", "same client id", MqttReasonCode.SessionTakenOver)]
    [InlineData("E0 09 97 07 1F 0004 66756C6C", "full", MqttReasonCode.QuotaExceeded)]
    [InlineData("E0 0A 9D 08 1C 0005 6F74686572", "other", MqttReasonCode.ServerMoved)]
    [InlineData("E0 01 8B", "server shutting down", MqttReasonCode.ServerShuttingDown)]
    [InlineData("E0 01 F7", "unknown reason (0xF7)", (MqttReasonCode)0xF7)]
    public async Task What_the_broker_says_when_it_disconnects_is_reported(string hex, string text, MqttReasonCode reason)
    {
        await using var broker = new FakeBroker(async (connection, number) =>
        {
            await connection.AcceptAsync();
            if (number == 1)
                await connection.SendHexAsync(hex);
            else
                await connection.DrainAsync();
        });
        await using var client = new RunningClient(broker.Options());

        await UntilErrorAsync(client, text);

        Assert.Contains(client.Snapshot(), s => s.LastReason == reason);
    }

    [Fact]
    public async Task A_stop_sends_the_acknowledgements_given_and_a_normal_disconnect()
    {
        var rest = new TaskCompletionSource<string>();
        await using var broker = new FakeBroker(async (connection, _) =>
        {
            await connection.AcceptAsync();
            for (ushort id = 1; id <= 3; id++)
                await connection.SendPublishAsync(id, "x");
            var text = new StringBuilder();
            while (true)
            {
                var (first, body) = await connection.ReadAsync();
                text.Append(CultureInfo.InvariantCulture, $"{first:X2}{Convert.ToHexString(body)} ");
                if (first == 0xE0)
                    break;
            }
            rest.TrySetResult(text.ToString());
        });
        var client = new RunningClient(broker.Options());
        var messages = await client.ReceiveAsync(3);

        client.Client.DiscardSessionOnStop = true;
        client.Client.Acknowledge(messages.ToArray().AsSpan(0, 2));
        await client.DisposeAsync();
        var waited = await client.Client.WaitForMessagesAsync(CancellationToken.None);

        Assert.Equal("400001 400002 E000051100000000 ", await rest.Task.Within());
        Assert.True(client.Client.IsSessionDiscarded);
        Assert.False(waited);
        Assert.False(client.Client.State.IsConnected);
    }

    [Fact]
    public async Task A_session_is_not_called_discarded_when_there_was_no_connection_to_say_it_on()
    {
        await using var broker = new FakeBroker((connection, number) => number == 1 ? connection.AcceptAsync() : connection.UntilStoppedAsync());
        var client = new RunningClient(broker.Options());
        await Wait.UntilAsync(() => client.Client.State is { Generation: 1, LastError: not null }, "the connection is lost");

        client.Client.DiscardSessionOnStop = true;
        await client.DisposeAsync();

        Assert.False(client.Client.IsSessionDiscarded);
    }

    [Fact]
    public async Task A_stop_fails_what_has_no_answer_and_everything_later()
    {
        await using var broker = new FakeBroker(async (connection, _) =>
        {
            await connection.AcceptAsync();
            await connection.DrainAsync();
        });
        var client = new RunningClient(broker.Options());
        var inFlight = Publish(client, "a");
        await client.ReadyAsync();

        await client.StopAsync();

        await Assert.ThrowsAsync<MqttConnectionException>(() => inFlight.Within());
        await Assert.ThrowsAsync<MqttConnectionException>(() => Publish(client, "b").Within());
        await Assert.ThrowsAsync<MqttConnectionException>(() => client.Client.UnsubscribeAsync("t", CancellationToken.None).Within());
        await Assert.ThrowsAsync<InvalidOperationException>(() => client.Client.RunAsync(CancellationToken.None));
        await client.DisposeAsync();
    }

    [Fact]
    public async Task A_cancelled_publish_that_was_not_sent_is_never_sent()
    {
        var release = new TaskCompletionSource();
        var published = new TaskCompletionSource<string>();
        await using var broker = new FakeBroker(async (connection, _) =>
        {
            await release.Task;
            await connection.AcceptAsync();
            var publish = await connection.ReadPublishAsync();
            await connection.SendPubackAsync(publish.Id);
            published.TrySetResult(publish.Payload);
            await connection.DrainAsync();
        });
        await using var client = new RunningClient(broker.Options());
        using var cancel = new CancellationTokenSource();

        var cancelled = client.Client.PublishAsync("t", "a"u8.ToArray(), MqttQos.AtLeastOnce, cancellationToken: cancel.Token);
        var kept = Publish(client, "b");
        await cancel.CancelAsync();
        release.SetResult();
        await kept.Within();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.Within());
        Assert.Equal("b", await published.Task.Within());
    }

    [Fact]
    public async Task Messages_of_qos_0_beyond_the_bound_are_dropped_and_counted_while_qos_1_is_not()
    {
        await using var broker = new FakeBroker(async (connection, _) =>
        {
            await connection.AcceptAsync();
            for (var i = 0; i < 50; i++)
                await connection.SendPublishAsync(0, $"{i}");
            await connection.SendPublishAsync(1, "last");
            await connection.DrainAsync();
        });
        var options = broker.Options();
        options.ReceiveMaximum = 10;
        await using var client = new RunningClient(options);

        await Wait.UntilAsync(() => client.Client.Counters.Received == 51, "all have come");
        var messages = await client.ReceiveAsync(11);

        Assert.Equal(40, client.Client.DroppedMessages);
        Assert.Equal("last", Text(messages[^1]));
        Assert.Equal("9", Text(messages[^2]));
    }

    [Fact]
    public async Task A_message_of_qos_2_left_by_another_subscriber_goes_through_its_handshake()
    {
        var answers = Channel.CreateUnbounded<string>();
        await using var broker = new FakeBroker(async (connection, _) =>
        {
            await connection.AcceptAsync(sessionPresent: true);
            await connection.SendHexAsync("34 07 0001 74 0009 00 78");
            await AnswerAsync();
            await connection.SendHexAsync("62 02 0009");
            await AnswerAsync();
            await connection.SendHexAsync("62 02 0009");
            await AnswerAsync();
            await connection.DrainAsync();

            async Task AnswerAsync()
            {
                var (first, body) = await connection.ReadAsync();
                answers.Writer.TryWrite($"{first:X2}{Convert.ToHexString(body)}");
            }
        });
        await using var client = new RunningClient(broker.Options());

        var message = await client.ReceiveAsync();
        client.Client.Acknowledge(message);

        Assert.Equal(MqttQos.ExactlyOnce, message.Qos);
        Assert.Equal("500009", await answers.Reader.ReadAsync().AsTask().Within());
        Assert.Equal("700009", await answers.Reader.ReadAsync().AsTask().Within());
        // MQTTnet writes the length of the properties even when there are none.
        Assert.Equal("7000099200", await answers.Reader.ReadAsync().AsTask().Within());
    }

    [Fact]
    public async Task Two_thousand_garbled_connections_leave_a_client_that_works()
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"THERMAL_TEST_SEED={seed}");
        var packets = new RandomPackets(random);
        await using var broker = new FakeBroker(async (connection, number) =>
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
        });
        var options = broker.Options("t");
        options.MaximumReconnectDelay = TimeSpan.FromMilliseconds(1);
        options.MaximumPacketSize = 1_000_000;
        await using var client = new RunningClient(options);

        MqttMessage message;
        do
            message = await client.ReceiveAsync();
        while (Text(message) != "made it");

        Assert.DoesNotContain(client.Snapshot(), s => s.LastError?.Contains("fault of this program", StringComparison.Ordinal) == true);
    }

    [Fact]
    public void Options_never_print_the_password()
    {
        var options = new MqttOptions { ClientId = "agent", Password = "secret" };

        Assert.Equal("localhost:1883 as 'agent'", options.ToString());
    }

    [Fact]
    public void Options_that_cannot_be_used_are_all_named()
    {
        var options = new MqttOptions
        {
            Host = " ",
            Port = 0,
            ReceiveMaximum = 1001,
            KeepAlive = TimeSpan.Zero,
            ClientId = "a\0",
            Will = new MqttAnnouncement { Topic = "a/#", Payload = new byte[1] },
            Subscriptions = [new MqttSubscription("$share/x"), new MqttSubscription("t", MqttQos.ExactlyOnce)],
            Tls = new MqttTls { ClientKeyFile = "key" },
        };

        var problems = options.Validate();

        Assert.Equal(9, problems.Count);
        Assert.Contains(problems, p => p.Contains("1001; it must be 1 to 1000", StringComparison.Ordinal));
        Assert.Empty(new MqttOptions().Validate());
    }
}
