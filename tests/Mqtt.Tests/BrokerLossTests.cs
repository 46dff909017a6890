using ThermalStreaming.Testing;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>Connections to a broker that are cut, silent or idle, and brokers that end.</summary>
public sealed class BrokerLossTests
{
    [Theory]
    [InlineData(BrokerKind.Mosquitto)]
    [InlineData(BrokerKind.MqttNet)]
    public async Task Every_publish_is_acknowledged_once_although_the_broker_is_killed_in_mid_stream(BrokerKind kind)
    {
        const int Count = 6000;
        await using var broker = await TestBroker.StartAsync(kind, new BrokerSettings { Persistence = true });
        await using var publisher = new RunningClient(TestBroker.Options(broker.Port, "publisher"));
        var acknowledged = 0;

        var all = Task.WhenAll(
            Enumerable
                .Range(0, Count)
                .Select(async i =>
                {
                    await publisher.Client.PublishAsync("t", new byte[600], MqttQos.AtLeastOnce);
                    Interlocked.Increment(ref acknowledged);
                })
        );
        foreach (var mark in new[] { 500, 2000, 4000 })
        {
            await Wait.UntilAsync(() => Volatile.Read(ref acknowledged) >= mark, $"{mark} are acknowledged");
            await broker.KillAsync();
            await broker.StartAgainAsync();
        }
        await all.Within();

        Assert.Equal(Count, acknowledged);
        Assert.Equal(Count, publisher.Client.Published);
        Assert.Equal(0, publisher.Client.PendingPublishes);
        await Wait.UntilAsync(() => publisher.Client.Counters.Connections >= 2, "there is a second connection");
    }

    [Theory]
    [InlineData(BrokerKind.Mosquitto)]
    [InlineData(BrokerKind.MqttNet)]
    public async Task Nothing_is_lost_between_two_clients_whose_connections_are_cut_again_and_again(BrokerKind kind)
    {
        const int Count = 5000;
        await using var broker = await TestBroker.StartAsync(kind, new BrokerSettings { Configuration = ["max_queued_messages 100000"] });
        await using var proxy = new TestProxy(broker.Port);
        await using var subscriber = await new RunningClient(TestBroker.Options(proxy.Port, "subscriber", "t")).ReadyAsync();
        await using var publisher = await new RunningClient(TestBroker.Options(proxy.Port, "publisher")).ReadyAsync();
        HashSet<int> seen = [];
        List<int> firstTimes = [];

        var publishing = publisher.PublishNumbersAsync("t", 0, Count);
        var cuts = 0;
        for (var received = 0; seen.Count < Count; received++)
        {
            var message = await subscriber.ReceiveAsync();
            if (seen.Add(Numbers.Of(message)))
                firstTimes.Add(Numbers.Of(message));
            subscriber.Client.Acknowledge(message);
            if (cuts < 5 && seen.Count >= (cuts + 1) * 800)
            {
                cuts++;
                proxy.Cut();
            }
        }
        await publishing.Within();

        Assert.Equal(Enumerable.Range(0, Count), seen.Order());
        // First deliveries are in the order of publishing, cuts or not (§4.6).
        Assert.Equal(firstTimes.Order(), firstTimes);
        Assert.True(subscriber.Client.Counters.Connections > 1);
    }

    [Theory]
    [InlineData(BrokerKind.Mosquitto)]
    [InlineData(BrokerKind.MqttNet)]
    public async Task The_will_is_published_when_the_connection_is_cut_and_not_after_a_stop(BrokerKind kind)
    {
        await using var broker = await TestBroker.StartAsync(kind);
        await using var proxy = new TestProxy(broker.Port);
        await using var watcher = await new RunningClient(TestBroker.Options(broker.Port, "watcher", "status/#")).ReadyAsync();
        var options = TestBroker.Options(proxy.Port, "agent");
        options.Will = new MqttAnnouncement
        {
            Topic = "status/agent",
            Payload = "offline"u8.ToArray(),
            ContentType = "text/plain",
        };
        options.Birth = new MqttAnnouncement { Topic = "status/agent", Payload = "online"u8.ToArray() };
        var agent = await new RunningClient(options).ReadyAsync();

        var birth = await watcher.ReceiveAsync();
        proxy.Cut();
        var will = await watcher.ReceiveAsync();
        var secondBirth = await watcher.ReceiveAsync();
        await agent.Client.PublishAsync("status/agent", "stopped"u8.ToArray(), MqttQos.AtLeastOnce, retain: true).Within();
        await agent.DisposeAsync();
        var last = await watcher.ReceiveAsync();
        await using var later = await new RunningClient(TestBroker.Options(broker.Port, "later", "status/#")).ReadyAsync();
        var retained = await later.ReceiveAsync();

        Assert.Equal("online", birth.Text());
        Assert.Equal("offline", will.Text());
        Assert.Equal("text/plain", will.ContentType);
        Assert.Equal("online", secondBirth.Text());
        Assert.Equal("stopped", last.Text());
        Assert.Equal("stopped", retained.Text());
        Assert.True(retained.Retain);
    }

    [Theory]
    [InlineData(BrokerKind.Mosquitto)]
    [InlineData(BrokerKind.MqttNet)]
    public async Task A_silent_network_is_noticed_within_the_keep_alive_and_a_new_connection_made(BrokerKind kind)
    {
        await using var broker = await TestBroker.StartAsync(kind);
        await using var proxy = new TestProxy(broker.Port);
        var options = TestBroker.Options(proxy.Port, "client", "t");
        options.KeepAlive = TimeSpan.FromSeconds(2);
        await using var client = await new RunningClient(options).ReadyAsync();

        proxy.Silence();
        await Wait.UntilAsync(() => client.Client.State.Generation >= 2 && client.Client.State.IsReady, "there is a new connection");

        Assert.Contains(client.Snapshot(), s => s.LastError?.Contains("has sent nothing", StringComparison.Ordinal) == true);
    }

    [Theory]
    [InlineData(BrokerKind.Mosquitto)]
    [InlineData(BrokerKind.MqttNet)]
    public async Task An_idle_connection_stays_up_by_pings(BrokerKind kind)
    {
        await using var broker = await TestBroker.StartAsync(kind);
        var options = TestBroker.Options(broker.Port, "client");
        // Long enough for a machine that stalls for some seconds.
        options.KeepAlive = TimeSpan.FromSeconds(5);
        await using var client = await new RunningClient(options).ReadyAsync();
        var before = client.Client.Counters.BytesReceived;

        // Two bytes for each PINGRESP; four of them are longer than the broker would wait without.
        await Wait.UntilAsync(() => client.Client.Counters.BytesReceived >= before + 8, "four pings are answered");

        Assert.Equal(1, client.Client.Counters.Connections);
    }

    [Theory]
    [InlineData(BrokerKind.Mosquitto)]
    [InlineData(BrokerKind.MqttNet, Skip = "MQTTnet.Server 5.2.0 has no way to ask for a keep-alive.")]
    public async Task A_shorter_keep_alive_that_the_broker_asks_for_is_kept(BrokerKind kind)
    {
        await using var broker = await TestBroker.StartAsync(kind, new BrokerSettings { Configuration = ["max_keepalive 10"] });
        var options = TestBroker.Options(broker.Port, "client");
        options.KeepAlive = TimeSpan.FromSeconds(300);
        await using var client = await new RunningClient(options).ReadyAsync();
        var before = client.Client.Counters.BytesReceived;

        // Of a keep-alive of 300 s, half of which is between two pings, the test would not live to see one.
        await Wait.UntilAsync(() => client.Client.Counters.BytesReceived > before, "a ping is answered");

        Assert.Equal(TimeSpan.FromSeconds(10), client.Client.State.KeepAlive);
    }

    [Theory]
    [InlineData(BrokerKind.Mosquitto)]
    [InlineData(BrokerKind.MqttNet)]
    public async Task A_broker_that_stops_in_good_order_and_comes_back_is_found_again(BrokerKind kind)
    {
        await using var broker = await TestBroker.StartAsync(kind, new BrokerSettings { Persistence = true });
        await using var client = await new RunningClient(TestBroker.Options(broker.Port, "client", "t")).ReadyAsync();

        await broker.StopAsync();
        await Wait.UntilAsync(() => !client.Client.State.IsConnected, "the loss is noticed");
        var pending = client.Client.PublishAsync("t", Numbers.Of(7), MqttQos.AtLeastOnce);
        await broker.StartAgainAsync();
        await pending.Within();

        Assert.Equal(7, Numbers.Of(await client.ReceiveAsync()));
        Assert.True(client.Client.State.SessionPresent);
    }
}
