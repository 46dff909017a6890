using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>Messages on their way through a broker.</summary>
public sealed class BrokerDeliveryTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(BrokerKind.Mosquitto)]
    [InlineData(BrokerKind.MqttNet)]
    public async Task Publishes_receives_and_acknowledges(BrokerKind kind)
    {
        await using var broker = await TestBroker.StartAsync(kind);
        await using var subscriber = await new RunningClient(TestBroker.Options(broker.Port, "subscriber", "telemetry/#")).ReadyAsync();
        await using var publisher = await new RunningClient(TestBroker.Options(broker.Port, "publisher")).ReadyAsync();

        var reason = await publisher
            .Client.PublishAsync("telemetry/v1/pi/thermal", "22.5"u8.ToArray(), MqttQos.AtLeastOnce, contentType: "text/plain")
            .Within();
        var message = await subscriber.ReceiveAsync();
        subscriber.Client.Acknowledge(message);

        Assert.Equal(MqttReasonCode.Success, reason);
        Assert.Equal("telemetry/v1/pi/thermal", message.Topic);
        Assert.Equal("22.5", message.Text());
        Assert.Equal("text/plain", message.ContentType);
        Assert.Equal(MqttQos.AtLeastOnce, message.Qos);
        Assert.False(message.Duplicate);
        Assert.Equal(1, subscriber.Client.Counters.Acknowledged);
    }

    [Theory]
    [InlineData(BrokerKind.Mosquitto)]
    [InlineData(BrokerKind.MqttNet)]
    public async Task A_message_for_nobody_is_acknowledged_as_such(BrokerKind kind)
    {
        await using var broker = await TestBroker.StartAsync(kind);
        await using var publisher = new RunningClient(TestBroker.Options(broker.Port, "publisher"));

        var reason = await publisher.Client.PublishAsync("nobody/listens", new byte[1], MqttQos.AtLeastOnce).Within();

        Assert.Equal(MqttReasonCode.NoMatchingSubscribers, reason);
    }

    [Theory]
    [InlineData(BrokerKind.Mosquitto)]
    [InlineData(BrokerKind.MqttNet)]
    public async Task Qos_0_arrives_with_qos_0(BrokerKind kind)
    {
        await using var broker = await TestBroker.StartAsync(kind);
        await using var subscriber = await new RunningClient(TestBroker.Options(broker.Port, "subscriber", "t")).ReadyAsync();
        await using var publisher = await new RunningClient(TestBroker.Options(broker.Port, "publisher")).ReadyAsync();

        await publisher.Client.PublishAsync("t", Numbers.Of(1), MqttQos.AtMostOnce).Within();
        var message = await subscriber.ReceiveAsync();

        Assert.Equal((1, MqttQos.AtMostOnce, 0), (Numbers.Of(message), message.Qos, message.PacketId));
    }

    [Theory]
    [InlineData(BrokerKind.Mosquitto)]
    [InlineData(BrokerKind.MqttNet, Skip = "MQTTnet.Server 5.2.0 has no shared subscriptions.")]
    public async Task A_shared_subscription_gives_each_message_to_one_of_two_clients(BrokerKind kind)
    {
        const int Count = 1000;
        await using var broker = await TestBroker.StartAsync(kind);
        await using var one = await new RunningClient(TestBroker.Options(broker.Port, "one", "$share/forwarders/t/#")).ReadyAsync();
        await using var two = await new RunningClient(TestBroker.Options(broker.Port, "two", "$share/forwarders/t/#")).ReadyAsync();
        await using var publisher = new RunningClient(TestBroker.Options(broker.Port, "publisher"));
        ConcurrentBag<int> numbers = [];

        await publisher.PublishNumbersAsync("t/1", 0, Count).Within();
        var ofOne = TakeAll(one);
        var ofTwo = TakeAll(two);
        await Wait.UntilAsync(() => numbers.Count >= Count, "all have arrived");
        await one.StopAsync();
        await two.StopAsync();

        Assert.Equal(Enumerable.Range(0, Count), numbers.Order());
        Assert.True(await ofOne > 0);
        Assert.True(await ofTwo > 0);

        async Task<int> TakeAll(RunningClient client)
        {
            var count = 0;
            while (await client.Client.WaitForMessagesAsync(CancellationToken.None))
            {
                while (client.Client.TryReceive(out var message))
                {
                    numbers.Add(Numbers.Of(message));
                    client.Client.Acknowledge(message);
                    count++;
                }
            }
            return count;
        }
    }

    [Fact]
    public async Task A_broker_without_shared_subscriptions_is_named_as_the_cause()
    {
        await using var broker = await TestBroker.StartAsync(BrokerKind.MqttNet);
        await using var client = new RunningClient(TestBroker.Options(broker.Port, "one", "$share/forwarders/t/#"));

        await client.UntilErrorAsync("Use a broker with shared subscriptions");

        Assert.True(client.Client.State.IsConnected);
        Assert.False(client.Client.State.IsReady);
    }

    [Theory]
    [InlineData(BrokerKind.Mosquitto)]
    [InlineData(BrokerKind.MqttNet)]
    public async Task A_payload_stays_as_it_is_until_it_is_acknowledged_whatever_else_is_acknowledged_twice_or_too_late(BrokerKind kind)
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"seed {seed}");
        await using var broker = await TestBroker.StartAsync(
            kind,
            new BrokerSettings { Persistence = true, Configuration = ["max_inflight_messages 1000"] }
        );
        await using var subscriber = await new RunningClient(TestBroker.Options(broker.Port, "subscriber", "t")).ReadyAsync();
        await using var publisher = await new RunningClient(TestBroker.Options(broker.Port, "publisher")).ReadyAsync();
        var hands = new List<MqttMessage>();
        var old = new List<MqttMessage>();

        // No more than the client takes in while the first one is unacknowledged.
        for (var round = 0; round < 5; round++)
        {
            var sending = Task.WhenAll(
                Enumerable.Range(round * 20, 20).Select(number => publisher.Client.PublishAsync("t", Large(number), MqttQos.AtLeastOnce))
            );
            for (var i = 0; i < 20; i++)
                hands.Add(await subscriber.ReceiveAsync());
            await sending.Within();
            for (var i = random.Next(10, 20); i > 0; i--)
            {
                var one = hands[random.Next(hands.Count)];
                Intact(one);
                subscriber.Client.Acknowledge([one, one]);
                hands.Remove(one);
                old.Add(one);
            }
            subscriber.Client.Acknowledge(CollectionsMarshal.AsSpan(old));
            hands.ForEach(Intact);
        }
        // What is in hand when the connection breaks comes again, and remains readable as long as somebody holds it.
        await broker.StopAsync();
        await broker.StartAgainAsync();
        var again = new List<MqttMessage>();
        while (again.Count < hands.Count)
            again.Add(await subscriber.ReceiveAsync());
        subscriber.Client.Acknowledge(CollectionsMarshal.AsSpan(hands));
        again.ForEach(Intact);
        hands.ForEach(Intact);

        static byte[] Large(int number)
        {
            var payload = new byte[2048 + number % 100];
            Array.Fill(payload, (byte)number);
            BitConverter.TryWriteBytes(payload, number);
            return payload;
        }

        static void Intact(MqttMessage message) =>
            Assert.Equal(Large(BitConverter.ToInt32(message.Payload.Span)), message.Payload.ToArray());
    }

    [Theory]
    [InlineData(BrokerKind.Mosquitto)]
    [InlineData(BrokerKind.MqttNet, Skip = "MQTTnet.Server 5.2.0 sends more than the Maximum Packet Size, against MQTT-3.1.2-24.")]
    public async Task Large_payloads_pass_and_larger_ones_than_announced_do_not_arrive(BrokerKind kind)
    {
        await using var broker = await TestBroker.StartAsync(kind);
        await using var wide = await new RunningClient(TestBroker.Options(broker.Port, "wide", "t")).ReadyAsync();
        var narrowOptions = TestBroker.Options(broker.Port, "narrow", "t");
        narrowOptions.MaximumPacketSize = 10_000;
        await using var narrow = await new RunningClient(narrowOptions).ReadyAsync();
        var large = new byte[6_000_000];
        Random.Shared.NextBytes(large);

        await wide.Client.PublishAsync("t", large, MqttQos.AtLeastOnce).Within();
        var first = await wide.ReceiveAsync();
        wide.Client.Acknowledge(first);
        await wide.Client.PublishAsync("t", Numbers.Of(1), MqttQos.AtLeastOnce).Within();
        var second = await wide.ReceiveAsync();
        var one = await narrow.ReceiveAsync();

        Assert.Equal(large, first.Payload.ToArray());
        Assert.Equal(1, Numbers.Of(second));
        Assert.Equal(1, Numbers.Of(one));
        Assert.Equal(1, narrow.Client.Counters.Connections);
    }

    [Theory]
    [InlineData(BrokerKind.Mosquitto)]
    [InlineData(BrokerKind.MqttNet)]
    public async Task Moves_many_messages_in_order(BrokerKind kind)
    {
        const int Count = 30_000;
        await using var broker = await TestBroker.StartAsync(
            kind,
            new BrokerSettings { Configuration = ["max_queued_messages 0", "max_inflight_messages 1000"] }
        );
        await using var subscriber = await new RunningClient(TestBroker.Options(broker.Port, "subscriber", "t")).ReadyAsync();
        await using var publisher = await new RunningClient(TestBroker.Options(broker.Port, "publisher")).ReadyAsync();

        var publishing = publisher.PublishNumbersAsync("t", 0, Count);
        var next = 0;
        while (next < Count)
        {
            var message = await subscriber.ReceiveAsync();
            Assert.Equal(next, Numbers.Of(message));
            next++;
            subscriber.Client.Acknowledge(message);
        }
        await publishing.Within();

        Assert.Equal(Count, subscriber.Client.Counters.Acknowledged);
        Assert.Equal(1, subscriber.Client.Counters.Connections);
    }
}
