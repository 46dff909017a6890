using System.Globalization;
using System.Text;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>The end of a client: its last packets, its session, and what had no answer.</summary>
public sealed class StoppingTests
{
    [Fact]
    public async Task A_stop_sends_the_acknowledgements_given_and_a_normal_disconnect()
    {
        var rest = new TaskCompletionSource<string>();
        await using var broker = new FakeBroker(
            async (connection, _) =>
            {
                await connection.AcceptAsync();
                for (ushort id = 1; id <= 3; id++)
                    await connection.SendPublishAsync(id, "x");
                var text = new StringBuilder();
                while (true)
                {
                    var (first, body) = await connection.ReadAsync();
                    text.Append(CultureInfo.InvariantCulture, $"{first:X2}{Convert.ToHexString(body)} ");
                    if (first == ServerPackets.Disconnect)
                        break;
                }
                rest.TrySetResult(text.ToString());
            }
        );
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
        await using var broker = new FakeBroker(
            (connection, number) => number == 1 ? connection.AcceptAsync() : connection.UntilStoppedAsync()
        );
        var client = new RunningClient(broker.Options());
        await Wait.UntilAsync(() => client.Client.State is { Generation: 1, LastError: not null }, "the connection is lost");

        client.Client.DiscardSessionOnStop = true;
        await client.DisposeAsync();

        Assert.False(client.Client.IsSessionDiscarded);
    }

    [Fact]
    public async Task A_stop_fails_what_has_no_answer_and_everything_later()
    {
        await using var broker = new FakeBroker(
            async (connection, _) =>
            {
                await connection.AcceptAsync();
                await connection.DrainAsync();
            }
        );
        var client = new RunningClient(broker.Options());
        var inFlight = client.PublishAsync("a");
        await client.ReadyAsync();

        await client.StopAsync();

        await Assert.ThrowsAsync<MqttConnectionException>(() => inFlight.Within());
        await Assert.ThrowsAsync<MqttConnectionException>(() => client.PublishAsync("b").Within());
        await Assert.ThrowsAsync<MqttConnectionException>(() => client.Client.UnsubscribeAsync("t", CancellationToken.None).Within());
        await Assert.ThrowsAsync<InvalidOperationException>(() => client.Client.RunAsync(CancellationToken.None));
        await client.DisposeAsync();
    }
}
