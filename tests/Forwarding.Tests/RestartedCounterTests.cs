using System.Text;
using Google.Protobuf;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>A device that restarts its counter and keeps its boot id, beside those that only send a reading again.</summary>
public sealed class RestartedCounterTests : IAsyncLifetime
{
    readonly TempDirectory directory = new();
    readonly Destination destination = new();
    PublishingBroker broker = null!;

    public async ValueTask InitializeAsync() => broker = await PublishingBroker.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await broker.DisposeAsync();
        directory.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Other_values_under_a_stored_number_are_not_stored_and_said_once(bool isRestarted)
    {
        var replica = await StartAsync();
        try
        {
            await PublishAsync("esp32", """{"boot_id":"esp32-1","sequence":1,"temperature":20.1}""");
            await ReceivedAsync(replica, 1);
            if (isRestarted)
            {
                await replica.DisposeAsync();
                replica = await StartAsync();
            }
            var before = replica.Metrics.ReceivedTotal;
            // The same reading, spelled otherwise.
            await PublishAsync("esp32", """[{ "sequence": 1, "temperature": 20.10, "boot_id": "esp32-1" }]""");
            await ReceivedAsync(replica, before + 1);
            Assert.Empty(replica.OddSenders());

            await PublishAsync("esp32", """{"boot_id":"esp32-1","sequence":1,"temperature":30.1}""");
            await PublishAsync("esp32", """{"boot_id":"esp32-1","sequence":1,"temperature":31.1}""");
            await ReceivedAsync(replica, before + 3);

            await Eventually.TrueAsync(
                () => replica.OddSenders() is [var note] && note.Detail.Contains(": 2 of", StringComparison.Ordinal),
                () => string.Join("; ", replica.OddSenders())
            );
            Assert.Equal(
                (
                    "esp32",
                    "counter_restarted",
                    "it reuses the numbers of stored readings: 2 of boot_id \"esp32-1\" were not stored (the last: sequence 1)"
                ),
                replica.OddSenders()[0]
            );
            await Eventually.TrueAsync(() => destination.Rows.Any(), () => "no reading was delivered");
            Assert.Single(destination.Rows);
        }
        finally
        {
            await replica.DisposeAsync();
        }
    }

    [Theory]
    [InlineData(1, 5)]
    [InlineData(450, 30)]
    public async Task A_counter_that_restarts_at_a_number_of_a_while_ago_is_noticed_and_a_replay_of_all_is_not(int first, int count)
    {
        await using var replica = await StartAsync();
        for (ulong start = 1; start <= 500; start += 20)
            await broker.PublishAsync("pi-1", start, 20);
        await ReceivedAsync(replica, 500);

        // As an agent does after a connection loss: in other batches, marked as replayed.
        for (ulong start = 1; start <= 500; start += 50)
        {
            await broker.PublishAsync(
                Topics.Readings("pi-1", ReadingKind.Thermal),
                Samples.Batch("pi-1", "boot", start, 50, replayed: true).ToByteArray(),
                Payload.ProtobufContentType
            );
        }
        await ReceivedAsync(replica, 1000);
        Assert.Empty(replica.OddSenders());

        var other = Samples.Batch("pi-1", "boot", (ulong)first, count);
        foreach (var reading in other.Thermal)
            reading.TemperatureC += 5;
        await broker.PublishAsync(Topics.Readings("pi-1", ReadingKind.Thermal), other.ToByteArray(), Payload.ProtobufContentType);
        await ReceivedAsync(replica, 1000 + count);

        await Eventually.TrueAsync(() => replica.OddSenders().Count == 1);
        Assert.Contains($": {count} of boot_id", replica.OddSenders()[0].Detail, StringComparison.Ordinal);
        Assert.Equal(500, destination.Rows.Count);
    }

    Task PublishAsync(string device, string json) =>
        broker.PublishAsync(Topics.Readings(device, ReadingKind.Thermal), Encoding.UTF8.GetBytes(json), Payload.JsonContentType);

    static Task ReceivedAsync(Replica replica, long readings) =>
        Eventually.TrueAsync(() => replica.Metrics.ReceivedTotal >= readings, () => $"{replica.Metrics.ReceivedTotal} of {readings}");

    async Task<Replica> StartAsync() => await Replica.StartAsync(Replica.Options(directory.Path, broker.Port), destination.CreateSink);
}
