using System.Threading.Channels;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>Subscriptions that a broker refuses or does not answer.</summary>
public sealed class SubscribingTests
{
    [Fact]
    public async Task A_refused_subscription_is_reported_and_tried_again_until_granted()
    {
        var subscribes = 0;
        await using var broker = new FakeBroker(
            async (connection, _) =>
            {
                await connection.AcceptAsync();
                await connection.GrantAsync(MqttReasonCode.NotAuthorized);
                subscribes++;
                await connection.GrantAsync();
                subscribes++;
                await connection.DrainAsync();
            }
        );
        await using var client = new RunningClient(broker.Options("telemetry/#"));

        await client.UntilErrorAsync("refused the subscription 'telemetry/#'");
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
        await using var broker = new FakeBroker(
            async (connection, number) =>
            {
                await connection.AcceptAsync(sessionPresent: number > 1);
                var body = await connection.ReadAsync(ServerPackets.Subscribe);
                subscribes.Writer.TryWrite(Convert.ToHexString(body.AsSpan(2)));
                if (number > 1)
                    await connection.SendAsync(ServerPackets.Suback(body, MqttReasonCode.GrantedQos1, MqttReasonCode.Success));
                await connection.DrainAsync();
            }
        );
        var options = broker.Options("$share/g/t", "u");
        options.ConnectTimeout = TimeSpan.FromMilliseconds(500);
        await using var client = await new RunningClient(options).ReadyAsync();

        var first = await subscribes.Reader.ReadAsync();
        var second = await subscribes.Reader.ReadAsync();

        // No properties; each filter with QoS 1 and retain handling 1.
        Assert.Equal("00" + "000A" + "2473686172652F672F74" + "11" + "0001" + "75" + "11", first);
        Assert.Equal(first, second);
        await client.UntilErrorAsync("did not answer a subscription request");
    }
}
