namespace ThermalStreaming.Mqtt.Tests;

/// <summary>Publishing to a broker that answers late, refuses, or limits what it takes.</summary>
public sealed class PublishingTests
{
    static readonly string[] fourPayloads = ["a", "b", "c", "d"];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_was_in_flight_is_sent_again_in_order(bool sessionKept)
    {
        var second = new TaskCompletionSource<List<(bool Duplicate, ushort Id, string Payload)>>();
        List<(bool Duplicate, ushort Id, string Payload)> first = [];
        await using var broker = new FakeBroker(
            async (connection, number) =>
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
            }
        );
        await using var client = new RunningClient(broker.Options());

        var publishes = fourPayloads.Select(p => client.PublishAsync(p)).ToList();
        await publishes[1].Within();
        await Wait.UntilAsync(() => client.Client.State is { Generation: 2, IsConnected: true }, "there is a new connection");
        publishes.Add(client.PublishAsync("e"));
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
        await using var broker = new FakeBroker(
            async (connection, _) =>
            {
                await connection.AcceptAsync(ServerPackets.Properties.ReceiveMaximum(2));
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
            }
        );
        await using var client = new RunningClient(broker.Options());

        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => client.PublishAsync($"{i}"))).Within();

        Assert.Equal(Allowed, atOnce);
        Assert.Equal(Allowed, client.Client.State.ServerReceiveMaximum);
    }

    [Fact]
    public async Task What_the_broker_cannot_take_is_refused_here_and_not_sent()
    {
        await using var broker = new FakeBroker(
            async (connection, _) =>
            {
                await connection.AcceptAsync(
                    ServerPackets.Properties.MaximumQos(0),
                    ServerPackets.Properties.RetainAvailable(false),
                    ServerPackets.Properties.MaximumPacketSize(100)
                );
                await connection.DrainAsync();
            }
        );
        await using var client = await new RunningClient(broker.Options()).ReadyAsync();

        var qos = await Assert.ThrowsAsync<MqttPublishRefusedException>(() => client.PublishAsync("x").Within());
        var retain = await Assert.ThrowsAsync<MqttPublishRefusedException>(() =>
            client.Client.PublishAsync("t", new byte[1], MqttQos.AtMostOnce, retain: true).Within()
        );
        var size = await Assert.ThrowsAsync<MqttPublishRefusedException>(() =>
            client.Client.PublishAsync("t", new byte[100], MqttQos.AtMostOnce).Within()
        );
        await client.Client.PublishAsync("t", new byte[94], MqttQos.AtMostOnce).Within();

        Assert.Equal(MqttReasonCode.QosNotSupported, qos.Reason);
        Assert.Equal(MqttReasonCode.RetainNotSupported, retain.Reason);
        Assert.Equal(MqttReasonCode.PacketTooLarge, size.Reason);
        Assert.Contains("106 bytes, and the broker takes at most 100", size.Message, StringComparison.Ordinal);
        Assert.Equal(3, client.Client.Refused);
        Assert.True(client.Client.State.IsConnected);
    }

    [Fact]
    public async Task A_refused_publish_says_why_and_frees_its_place()
    {
        await using var broker = new FakeBroker(
            async (connection, _) =>
            {
                await connection.AcceptAsync(ServerPackets.Properties.ReceiveMaximum(1));
                var id = (await connection.ReadPublishAsync()).Id;
                await connection.SendAsync(
                    ServerPackets.Acknowledgement(id, MqttReasonCode.QuotaExceeded, ServerPackets.Properties.Reason("full"))
                );
                await connection.SendPubackAsync((await connection.ReadPublishAsync()).Id);
                await connection.DrainAsync();
            }
        );
        await using var client = new RunningClient(broker.Options());

        var refused = client.PublishAsync("a");
        var accepted = client.PublishAsync("b");
        var exception = await Assert.ThrowsAsync<MqttPublishRefusedException>(() => refused.Within());
        await accepted.Within();

        Assert.Equal(MqttReasonCode.QuotaExceeded, exception.Reason);
        Assert.Contains("full", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancelled_publish_that_was_not_sent_is_never_sent()
    {
        var release = new TaskCompletionSource();
        var published = new TaskCompletionSource<string>();
        await using var broker = new FakeBroker(
            async (connection, _) =>
            {
                await release.Task;
                await connection.AcceptAsync();
                var publish = await connection.ReadPublishAsync();
                await connection.SendPubackAsync(publish.Id);
                published.TrySetResult(publish.Payload);
                await connection.DrainAsync();
            }
        );
        await using var client = new RunningClient(broker.Options());
        using var cancel = new CancellationTokenSource();

        var cancelled = client.Client.PublishAsync("t", "a"u8.ToArray(), MqttQos.AtLeastOnce, cancellationToken: cancel.Token);
        var kept = client.PublishAsync("b");
        await cancel.CancelAsync();
        release.SetResult();
        await kept.Within();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.Within());
        Assert.Equal("b", await published.Task.Within());
    }
}
