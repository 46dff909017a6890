namespace ThermalStreaming.Mqtt.Tests;

/// <summary>What a broker keeps for a client that is away.</summary>
public sealed class BrokerSessionTests
{
    [Theory]
    [InlineData(BrokerKind.Mosquitto)]
    [InlineData(BrokerKind.MqttNet)]
    public async Task What_was_published_while_away_is_received_after_coming_back(BrokerKind kind)
    {
        await using var broker = await TestBroker.StartAsync(kind);
        await using var publisher = new RunningClient(TestBroker.Options(broker.Port, "publisher"));
        await using (await new RunningClient(TestBroker.Options(broker.Port, "subscriber", "t")).ReadyAsync()) { }

        await publisher.PublishNumbersAsync("t", 0, 50).Within();
        await using var again = await new RunningClient(TestBroker.Options(broker.Port, "subscriber", "t")).ReadyAsync();
        var messages = await again.ReceiveAsync(50);

        Assert.True(again.Client.State.SessionPresent);
        Assert.Equal(Enumerable.Range(0, 50), messages.Select(Numbers.Of));
    }

    [Theory]
    [InlineData(BrokerKind.Mosquitto)]
    [InlineData(BrokerKind.MqttNet)]
    public async Task What_was_not_acknowledged_comes_again_and_what_was_does_not(BrokerKind kind)
    {
        await using var broker = await TestBroker.StartAsync(kind);
        await using var publisher = new RunningClient(TestBroker.Options(broker.Port, "publisher"));
        await using (var subscriber = await new RunningClient(TestBroker.Options(broker.Port, "subscriber", "t")).ReadyAsync())
        {
            await publisher.PublishNumbersAsync("t", 0, 10).Within();
            var messages = await subscriber.ReceiveAsync(10);
            subscriber.Client.Acknowledge(messages[0]);
            subscriber.Client.Acknowledge(messages[1]);
            subscriber.Client.Acknowledge(messages[5]);
        }

        await using var again = await new RunningClient(TestBroker.Options(broker.Port, "subscriber", "t")).ReadyAsync();
        var repeated = await again.ReceiveAsync(8);

        // 5 was acknowledged too, but its turn was after 2.
        Assert.Equal(Enumerable.Range(2, 8), repeated.Select(Numbers.Of));
    }

    [Theory]
    [InlineData(BrokerKind.Mosquitto)]
    [InlineData(BrokerKind.MqttNet, Skip = "MQTTnet.Server 5.2.0 resends without DUP (MQTT-3.3.1-1), under new packet ids (MQTT-4.4.0-1).")]
    public async Task What_comes_again_is_marked_as_duplicate_and_keeps_its_packet_id(BrokerKind kind)
    {
        await using var broker = await TestBroker.StartAsync(kind);
        await using var publisher = new RunningClient(TestBroker.Options(broker.Port, "publisher"));
        List<MqttMessage> first;
        await using (var subscriber = await new RunningClient(TestBroker.Options(broker.Port, "subscriber", "t")).ReadyAsync())
        {
            await publisher.PublishNumbersAsync("t", 0, 10).Within();
            first = await subscriber.ReceiveAsync(10);
        }

        await using var again = await new RunningClient(TestBroker.Options(broker.Port, "subscriber", "t")).ReadyAsync();
        var repeated = await again.ReceiveAsync(10);

        Assert.All(first, m => Assert.False(m.Duplicate));
        Assert.All(repeated, m => Assert.True(m.Duplicate));
        Assert.Equal(first.Select(m => m.PacketId), repeated.Select(m => m.PacketId));
    }

    [Theory]
    [InlineData(BrokerKind.Mosquitto)]
    [InlineData(BrokerKind.MqttNet)]
    public async Task A_smaller_receive_maximum_than_before_is_no_trap(BrokerKind kind)
    {
        await using var broker = await TestBroker.StartAsync(kind);
        await using var publisher = new RunningClient(TestBroker.Options(broker.Port, "publisher"));
        var options = TestBroker.Options(broker.Port, "subscriber", "t");
        await using (var subscriber = await new RunningClient(options).ReadyAsync())
        {
            await publisher.PublishNumbersAsync("t", 0, 100).Within();
            await subscriber.ReceiveAsync(100);
        }

        options.ReceiveMaximum = 10;
        await using var again = await new RunningClient(options).ReadyAsync();
        for (var i = 0; i < 100; i++)
        {
            var message = await again.ReceiveAsync();
            again.Client.Acknowledge(message);
            Assert.Equal(i, Numbers.Of(message));
        }

        Assert.Equal(1, again.Client.Counters.Connections);
    }

    [Theory]
    [InlineData(BrokerKind.Mosquitto)]
    [InlineData(BrokerKind.MqttNet)]
    public async Task A_second_client_with_the_same_id_takes_over_and_the_first_says_what_to_look_for(BrokerKind kind)
    {
        await using var broker = await TestBroker.StartAsync(kind);
        var options = TestBroker.Options(broker.Port, "same");
        await using var first = await new RunningClient(options).ReadyAsync();

        await using (new RunningClient(options))
            await Wait.UntilAsync(() => first.Snapshot().Any(s => s.LastError is not null), "the first has lost its connection");
        await first.ReadyAsync();

        // Mosquitto 2.0.11 closes without a DISCONNECT here; later versions say "session taken over".
        Assert.Contains(first.Snapshot(), s => s.LastError?.Contains("client id", StringComparison.Ordinal) == true);
    }

    [Theory]
    [InlineData(BrokerKind.Mosquitto)]
    [InlineData(BrokerKind.MqttNet, Skip = "MQTTnet.Server 5.2.0 ignores the expiry 0 of DISCONNECT, against section 3.14.2.2.2.")]
    public async Task After_unsubscribing_nothing_comes_and_the_session_can_be_discarded(BrokerKind kind)
    {
        await using var broker = await TestBroker.StartAsync(kind);
        await using var publisher = await new RunningClient(TestBroker.Options(broker.Port, "publisher")).ReadyAsync();
        await using (var subscriber = await new RunningClient(TestBroker.Options(broker.Port, "retiring", "t", "control")).ReadyAsync())
        {
            await subscriber.Client.UnsubscribeAsync("t", CancellationToken.None).Within();
            await publisher.Client.PublishAsync("t", Numbers.Of(1), MqttQos.AtLeastOnce).Within();
            await publisher.Client.PublishAsync("control", Numbers.Of(2), MqttQos.AtLeastOnce).Within();

            Assert.Equal(2, Numbers.Of(await subscriber.ReceiveAsync()));
            subscriber.Client.DiscardSessionOnStop = true;
        }

        await using var again = await new RunningClient(TestBroker.Options(broker.Port, "retiring", "control")).ReadyAsync();

        Assert.False(again.Client.State.SessionPresent);
    }

    [Theory]
    [InlineData(BrokerKind.Mosquitto)]
    [InlineData(BrokerKind.MqttNet, Skip = "MQTTnet.Server 5.2.0 ignores the Receive Maximum, against MQTT-3.3.4-9.")]
    public async Task No_more_is_unacknowledged_than_the_receive_maximum(BrokerKind kind)
    {
        await using var broker = await TestBroker.StartAsync(kind);
        var options = TestBroker.Options(broker.Port, "subscriber", "t");
        options.ReceiveMaximum = 10;
        await using var subscriber = await new RunningClient(options).ReadyAsync();
        await using var publisher = await new RunningClient(TestBroker.Options(broker.Port, "publisher")).ReadyAsync();

        await publisher.PublishNumbersAsync("t", 0, 50).Within();
        // A message of QoS 0 does not wait for acknowledgements: it comes behind all that the broker sends before one.
        await publisher.Client.PublishAsync("t", Numbers.Of(50), MqttQos.AtMostOnce).Within();
        var messages = await subscriber.ReceiveAsync(11);

        Assert.Equal([.. Enumerable.Range(0, 10), 50], messages.Select(Numbers.Of));
        Assert.Equal(11, subscriber.Client.Counters.Received);
    }
}
