using System.Buffers.Binary;
using System.Threading.Channels;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>Which acknowledgements leave, in which order and on which connection.</summary>
public sealed class AcknowledgingTests
{
    static readonly ushort[] outOfOrder = [7, 3, 9, 4];

    [Fact]
    public async Task Acknowledgements_leave_in_the_order_of_arrival_whatever_the_consumers_order()
    {
        var acks = Channel.CreateUnbounded<int>();
        await using var broker = new FakeBroker(
            async (connection, _) =>
            {
                await connection.AcceptAsync();
                foreach (var id in outOfOrder)
                    await connection.SendPublishAsync(id, "x");
                while (true)
                    acks.Writer.TryWrite(BinaryPrimitives.ReadUInt16BigEndian(await connection.ReadAsync(ServerPackets.Puback)));
            }
        );
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
        await using var broker = new FakeBroker(
            async (connection, number) =>
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
            }
        );
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

    [Fact]
    public async Task A_message_of_qos_2_left_by_another_subscriber_goes_through_its_handshake()
    {
        var answers = Channel.CreateUnbounded<string>();
        await using var broker = new FakeBroker(
            async (connection, _) =>
            {
                await connection.AcceptAsync(sessionPresent: true);
                await connection.SendAsync(ServerPackets.PublishExactlyOnce(9, "x"));
                await AnswerAsync();
                await connection.SendAsync(ServerPackets.Release(9));
                await AnswerAsync();
                await connection.SendAsync(ServerPackets.Release(9));
                await AnswerAsync();
                await connection.DrainAsync();

                async Task AnswerAsync()
                {
                    var (first, body) = await connection.ReadAsync();
                    answers.Writer.TryWrite($"{first:X2}{Convert.ToHexString(body)}");
                }
            }
        );
        await using var client = new RunningClient(broker.Options());

        var message = await client.ReceiveAsync();
        client.Client.Acknowledge(message);

        Assert.Equal(MqttQos.ExactlyOnce, message.Qos);
        Assert.Equal("500009", await answers.Reader.ReadAsync().AsTask().Within());
        Assert.Equal("700009", await answers.Reader.ReadAsync().AsTask().Within());
        // MQTTnet writes the length of the properties even when there are none.
        Assert.Equal("7000099200", await answers.Reader.ReadAsync().AsTask().Within());
    }
}
