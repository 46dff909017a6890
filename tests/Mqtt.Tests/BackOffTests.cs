using System.Net;
using System.Net.Sockets;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>How long the client waits before it asks again, with the default options and a clock of its own.</summary>
public sealed class BackOffTests
{
    static readonly TimeSpan soon = TimeSpan.FromSeconds(2);

    [Theory]
    [InlineData("nothing listens")]
    [InlineData("hangs up before CONNACK")]
    [InlineData("hangs up after CONNACK")]
    [InlineData("shuts down")]
    public async Task A_broker_that_does_not_answer_is_asked_every_two_seconds_at_most(string broker) =>
        Assert.All(await DelaysAsync(broker, 12), delay => Assert.InRange(delay, TimeSpan.Zero, soon));

    [Theory]
    [InlineData("says: not authorized")]
    [InlineData("says: busy")]
    [InlineData("speaks HTTP")]
    public async Task A_broker_that_refuses_is_left_in_peace_for_longer(string broker)
    {
        // Each wait is random between zero and a bound that doubles up to 30 s; that all of thirty stay below 2 s has a chance of less than
        // one in 10^25.
        var delays = await DelaysAsync(broker, 30);

        Assert.Contains(delays, delay => delay > soon);
        Assert.All(delays, delay => Assert.InRange(delay, TimeSpan.Zero, TimeSpan.FromSeconds(30)));
    }

    /// <summary>The waits before the next attempts.</summary>
    static async Task<List<TimeSpan>> DelaysAsync(string answer, int count)
    {
        var clock = new ManualClock();
        await using var broker =
            answer == "nothing listens"
                ? null
                : new FakeBroker(
                    async (connection, _) =>
                    {
                        await connection.ReadAsync(ServerPackets.Connect);
                        await connection.SendAsync(
                            answer switch
                            {
                                "hangs up before CONNACK" => [],
                                "hangs up after CONNACK" => ServerPackets.Connack(),
                                "shuts down" => [.. ServerPackets.Connack(), .. ServerPackets.Goodbye(MqttReasonCode.ServerShuttingDown)],
                                "says: not authorized" => ServerPackets.Connack(reason: MqttReasonCode.NotAuthorized),
                                "says: busy" => ServerPackets.Connack(reason: MqttReasonCode.ServerBusy),
                                "speaks HTTP" => "HTTP"u8.ToArray(),
                                _ => throw new ArgumentException(answer),
                            }
                        );
                    }
                );
        var options =
            broker?.Options()
            ?? new MqttOptions
            {
                Host = "127.0.0.1",
                Port = ClosedPort(),
                ClientId = "client",
            };
        options.MaximumReconnectDelay = new MqttOptions().MaximumReconnectDelay;
        await using var client = new RunningClient(options, clock: clock);
        List<TimeSpan> delays = [];
        for (var failures = 1; failures <= count; failures++)
        {
            var expected = failures;
            await Wait.UntilAsync(
                () =>
                    client.Snapshot().Count(state => state is { IsConnected: false, LastError: not null }) >= expected
                    && client.Client.State is { IsConnected: false }
                    && clock.NextDue is not null,
                $"attempt {expected} has failed"
            );
            // Other timers (keep-alive, patience with the connection) have ended with the attempt.
            var due = clock.NextDue!.Value;
            delays.Add(due);
            clock.Advance(due);
        }
        return delays;
    }

    static int ClosedPort()
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
