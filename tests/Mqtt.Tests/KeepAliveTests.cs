using Microsoft.Extensions.Time.Testing;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>Which connections are left for dead, and which are only slow.</summary>
public sealed class KeepAliveTests
{
    [Fact]
    public async Task A_broker_that_answers_no_ping_is_left_within_the_keep_alive()
    {
        await using var broker = new FakeBroker(
            async (connection, number) =>
            {
                await connection.AcceptAsync();
                if (number > 1)
                {
                    while (true)
                        await connection.ReadAsync();
                }
                await connection.DrainAsync();
            }
        );
        var options = broker.Options();
        options.KeepAlive = TimeSpan.FromSeconds(1);
        await using var client = new RunningClient(options);

        await client.UntilErrorAsync("not even an answer to a ping");
        await Wait.UntilAsync(() => client.Client.State is { Generation: >= 2, IsConnected: true }, "there is a new connection");
    }

    [Fact]
    public async Task A_broker_that_sends_but_takes_nothing_is_left()
    {
        await using var broker = new FakeBroker(
            async (connection, number) =>
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
            }
        );
        var options = broker.Options();
        options.KeepAlive = TimeSpan.FromSeconds(1);
        await using var client = new RunningClient(options);

        // More than the socket buffers of both sides hold.
        _ = client.Client.PublishAsync("t", new byte[64 * 1024 * 1024], MqttQos.AtMostOnce);

        await client.UntilErrorAsync("has taken no data");
        await Wait.UntilAsync(() => client.Client.State is { Generation: >= 2, IsConnected: true }, "there is a new connection");
    }

    [Fact]
    public async Task A_large_message_over_a_slow_line_is_not_taken_for_a_dead_connection()
    {
        const int Size = 6 * 1024 * 1024;
        var clock = new FakeTimeProvider();
        var sent = new TaskCompletionSource<Func<long>>();
        await using var broker = new FakeBroker(
            async (connection, _) =>
            {
                await connection.AcceptAsync();
                var bytesSent = await sent.Task;
                // 640 kB/s: ten seconds, several keep-alives, in which nothing is answered. Time passes only when the client has written
                // what
                // there was room for, so that it is the line that is slow and never this machine.
                var buffer = new byte[64 * 1024];
                for (var read = 0; read < Size; read += buffer.Length)
                {
                    await connection.ReadIntoAsync(buffer);
                    await Wait.UntilAsync(() => bytesSent() >= read, "the client writes on");
                    clock.Advance(TimeSpan.FromMilliseconds(100));
                }
                await connection.SendAsync([.. ServerPackets.PingResponse, .. ServerPackets.Acknowledgement(1)]);
                await connection.DrainAsync();
            }
        );
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
        await using var broker = new FakeBroker(
            async (connection, _) =>
            {
                await connection.AcceptAsync(ServerPackets.Properties.ServerKeepAlive(1));
                Assert.Equal(ServerPackets.Pingreq, (await connection.ReadAsync(answerPings: false)).First);
                pinged.TrySetResult();
                await connection.SendAsync(ServerPackets.PingResponse);
                await connection.DrainAsync();
            }
        );
        await using var client = new RunningClient(broker.Options());

        await pinged.Task.Within();

        Assert.Equal(TimeSpan.FromSeconds(1), client.Client.State.KeepAlive);
    }
}
