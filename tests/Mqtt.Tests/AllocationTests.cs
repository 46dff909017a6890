namespace ThermalStreaming.Mqtt.Tests;

[Collection(nameof(Alone))]
public sealed class AllocationTests
{
    [Fact]
    public async Task Receiving_and_acknowledging_allocates_the_payload_and_a_packet_and_next_to_nothing_else()
    {
        const int Count = 10_000;
        const int Rounds = 4;
        const int Payload = 640;
        byte[] acknowledged = new byte[4 * 1000];
        await using var broker = new FakeBroker(
            async (connection, _) =>
            {
                await connection.AcceptAsync();
                // A thousand messages in one piece, sent again and again with the acknowledgements read in between.
                List<byte> window = [];
                for (ushort id = 1; id <= 1000; id++)
                    window.AddRange(ServerPackets.Publish(id, new byte[Payload], topic: "telemetry1"));
                byte[] bytes = [.. window];
                for (var sent = 0; sent < Count * Rounds; sent += 1000)
                {
                    await connection.SendAsync(bytes);
                    await connection.ReadIntoAsync(acknowledged);
                }
                await connection.DrainAsync();
            }
        );
        await using var client = new RunningClient(broker.Options());
        var least = long.MaxValue;

        for (var round = 0; round < Rounds; round++)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            for (var received = 0; received < Count; received++)
            {
                MqttMessage message;
                while (!client.Client.TryReceive(out message))
                    await client.Client.WaitForMessagesAsync(CancellationToken.None);
                client.Client.Acknowledge(message);
            }
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        // An array is its payload and 24 bytes. MQTTnet's packet with its topic of ten characters is 160 (825.6 in all were measured). What
        // is left over is for the test's own sockets and timers.
        Assert.True(least < Count * (Payload + 24L + 160 + 24), $"{least / (double)Count:0.0} bytes per message of {Payload}");
    }
}
