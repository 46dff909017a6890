using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>A real broker, a client that publishes and comes back when the broker was killed, and a destination, for the tests of a
/// class.</summary>
public abstract class ForwarderTest(ITestOutputHelper output) : IAsyncLifetime
{
    private protected ITestOutputHelper Output => output;

    private protected readonly TempDirectory directory = new();
    private protected readonly Destination destination = new();
    private protected readonly CancellationTokenSource stop = new();
    private protected MosquittoProcess broker = null!;
    private protected MqttClient publisher = null!;
    private protected Task publishing = null!;

    public async ValueTask InitializeAsync()
    {
        broker = await MosquittoProcess.StartAsync(
            new BrokerSettings { Persistence = true, Configuration = ["max_queued_messages 100000", "max_inflight_messages 1000"] }
        );
        publisher = new MqttClient(
            new MqttOptions
            {
                Host = "127.0.0.1",
                Port = broker.Port,
                ClientId = "publisher",
                MaximumReconnectDelay = TimeSpan.FromMilliseconds(300),
            },
            TimeProvider.System,
            NullLogger.Instance
        );
        publishing = publisher.RunAsync(stop.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await publishing;
        await publisher.DisposeAsync();
        await broker.DisposeAsync();
        stop.Dispose();
        directory.Dispose();
    }

    private protected string DeadLettersDirectory => directory.File("dead-letters");

    /// <summary>What <c>dead-letters replay</c> does.</summary>
    private protected void ReplayAll()
    {
        Directory.CreateDirectory(DeadLetters.ReplayDirectory(DeadLettersDirectory));
        foreach (var file in DeadLetters.Files(DeadLettersDirectory))
            File.Move(file, Path.Combine(DeadLetters.ReplayDirectory(DeadLettersDirectory), Path.GetFileName(file)));
    }

    private protected async Task ReplayedAsync(Replica replica) =>
        await Eventually.TrueAsync(
            () =>
                !Directory.EnumerateFileSystemEntries(DeadLetters.ReplayDirectory(DeadLettersDirectory)).Any()
                || replica.Execution.IsCompleted,
            () => string.Join(", ", replica.Health.Parts)
        );

    private protected async Task<Replica> StartAsync(bool waitUntilReady = true) =>
        await Replica.StartAsync(Replica.Options(directory.Path, broker.Port), destination.CreateSink, waitUntilReady);

    private protected Task PublishAsync(string device, ulong first, int count) =>
        PublishAsync(
            Topics.Readings(device, ReadingKind.Thermal),
            Samples.Batch(device, "boot", first, count).ToByteArray(),
            Payload.ProtobufContentType
        );

    private protected async Task PublishAsync(string topic, byte[] payload, string? contentType)
    {
        // A broker that was killed before it saved the replica's session knows nobody until the replica is back. An agent waits for that
        // too.
        using var ceiling = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (
            await publisher.PublishAsync(topic, payload, MqttQos.AtLeastOnce, contentType: contentType).WaitAsync(ceiling.Token)
            == MqttReasonCode.NoMatchingSubscribers
        )
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, ceiling.Token);
    }

    /// <summary>Makes or keeps a session at the broker, with or without the forwarder's subscription, and leaves it there.</summary>
    private protected async Task LeaveSessionAsync(string clientId, bool subscribe)
    {
        await using var client = new MqttNetClient();
        Assert.Equal(0, await client.ConnectAsync(broker.Port, clientId, sessionExpiry: uint.MaxValue));
        if (subscribe)
            Assert.Equal(1, await client.SubscribeAsync(Replica.Options(directory.Path, 0).Subscription));
    }

    /// <summary>What a power cut during an append may leave.</summary>
    private protected void TearTail(string slot) =>
        File.AppendAllText(
            Directory.GetFiles(Path.Combine(directory.Path, "slots", slot, "journal"), "*.segment").Order(StringComparer.Ordinal).Last(),
            "torn"
        );

    private protected Task PublishManyAsync(string device, int messages, int readings) =>
        Task.WhenAll(Enumerable.Range(0, messages).Select(i => PublishAsync(device, (ulong)(i * readings + 1), readings)));

    private protected async Task DeliveredAsync(int rows)
    {
        await Eventually.TrueAsync(
            () => destination.Rows.Distinct().Count() >= rows || destination.Rows.Count >= rows,
            () => $"{destination.Rows.Count} of {rows} rows"
        );
        Output.WriteLine($"{destination.Rows.Count} rows in {destination.Sent.Count} batches, {destination.Opens} opens");
    }

    private protected void AssertOnce(params (string Device, ulong First, ulong Last)[] expected)
    {
        var wanted = expected
            .SelectMany(range =>
                Enumerable.Range(0, (int)(range.Last - range.First + 1)).Select(i => $"{range.Device}/{range.First + (ulong)i}")
            )
            .Order(StringComparer.Ordinal);
        Assert.Equal(wanted, destination.Rows.Select(row => $"{row.DeviceId}/{row.Sequence}").Order(StringComparer.Ordinal));
    }
}
