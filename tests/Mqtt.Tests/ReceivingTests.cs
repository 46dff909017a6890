using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>How much a client takes in before its consumer has caught up.</summary>
public sealed class ReceivingTests
{
    [Fact]
    public async Task A_broker_that_sends_more_than_the_receive_maximum_waits_for_the_consumer_and_loses_nothing()
    {
        await using var broker = new FakeBroker(
            async (connection, _) =>
            {
                await connection.AcceptAsync();
                for (ushort id = 1; id <= 3000; id++)
                    await connection.SendPublishAsync(id, "x");
                await connection.DrainAsync();
            }
        );
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
        await using var broker = new FakeBroker(
            async (connection, _) =>
            {
                await connection.AcceptAsync();
                ushort id = 0;
                await foreach (var count in send.Reader.ReadAllAsync(connection.Stop))
                {
                    for (var i = 0; i < count; i++)
                        await connection.SendPublishAsync(++id, "x");
                }
                await connection.DrainAsync();
            }
        );
        var clock = new FakeTimeProvider();
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
        await using var broker = new FakeBroker(
            async (connection, _) =>
            {
                await connection.AcceptAsync();
                for (ushort id = 1; id <= 100; id++)
                    await connection.SendPublishAsync(id, "x");
                await more.Task;
                for (byte id = 101; id <= 104; id++)
                    await connection.SendAsync(ServerPackets.Publish(id, new byte[Size]));
                await connection.DrainAsync();
            }
        );
        await using var client = new RunningClient(broker.Options(), clock: new FakeTimeProvider());
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
        await using var broker = new FakeBroker(
            async (connection, _) =>
            {
                await connection.AcceptAsync();
                for (byte id = 1; id <= 20; id++)
                    await connection.SendAsync(ServerPackets.Publish(id, new byte[Size]));
                await connection.DrainAsync();
            }
        );
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
        await using var broker = new FakeBroker(
            async (connection, _) =>
            {
                await connection.AcceptAsync();
                for (ushort id = 1; id <= 3000; id++)
                    await connection.SendPublishAsync(id, "x");
                while (true)
                    await connection.ReadAsync();
            }
        );
        var options = broker.Options();
        options.KeepAlive = TimeSpan.FromSeconds(2);
        options.ReceiveMaximum = 10;
        var clock = new FakeTimeProvider();
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
        await using var broker = new FakeBroker(
            async (connection, number) =>
            {
                await connection.AcceptAsync();
                if (number > 2)
                {
                    await connection.DrainAsync();
                    return;
                }
                for (ushort id = 1; id <= 10; id++)
                    await connection.SendPublishAsync(id, "x");
            }
        );
        var options = broker.Options();
        options.ReceiveMaximum = 10;
        await using var client = new RunningClient(options);

        await client.UntilErrorAsync("still wait to be processed");
        await client.ReceiveAsync(20);
        await Wait.UntilAsync(
            () => client.Client.State is { Generation: >= 3, IsConnected: true },
            "there is a new connection after the consumer caught up"
        );
    }

    [Fact]
    public async Task No_new_connection_is_made_while_large_messages_of_earlier_ones_wait()
    {
        await using var broker = new FakeBroker(
            async (connection, number) =>
            {
                await connection.AcceptAsync();
                if (number > 2)
                {
                    await connection.DrainAsync();
                    return;
                }
                await connection.SendAsync(ServerPackets.Publish(1, new byte[200_000]));
            }
        );
        await using var client = new RunningClient(broker.Options());

        await client.UntilErrorAsync("still wait to be processed");
        Assert.Equal(2, client.Client.Counters.Connections);
        await client.ReceiveAsync(2);

        await Wait.UntilAsync(
            () => client.Client.State is { Generation: >= 3, IsConnected: true },
            "there is a new connection after the consumer caught up"
        );
    }

    [Fact]
    public async Task Messages_of_qos_0_beyond_the_bound_are_dropped_and_counted_while_qos_1_is_not()
    {
        await using var broker = new FakeBroker(
            async (connection, _) =>
            {
                await connection.AcceptAsync();
                for (var i = 0; i < 50; i++)
                    await connection.SendPublishAsync(0, $"{i}");
                await connection.SendPublishAsync(1, "last");
                await connection.DrainAsync();
            }
        );
        var options = broker.Options();
        options.ReceiveMaximum = 10;
        await using var client = new RunningClient(options);

        await Wait.UntilAsync(() => client.Client.Counters.Received == 51, "all have come");
        var messages = await client.ReceiveAsync(11);

        Assert.Equal(40, client.Client.DroppedMessages);
        Assert.Equal("last", messages[^1].Text());
        Assert.Equal("9", messages[^2].Text());
    }
}
