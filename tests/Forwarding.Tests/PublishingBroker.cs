using Google.Protobuf;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>A real broker, and a client that publishes readings.</summary>
sealed class PublishingBroker : IAsyncDisposable
{
    readonly MosquittoProcess broker;
    readonly MqttNetClient publisher;

    PublishingBroker(MosquittoProcess broker, MqttNetClient publisher)
    {
        this.broker = broker;
        this.publisher = publisher;
    }

    public int Port => broker.Port;

    public static async Task<PublishingBroker> StartAsync()
    {
        var broker = await MosquittoProcess.StartAsync(
            new BrokerSettings { Persistence = true, Configuration = ["max_queued_messages 100000", "max_inflight_messages 1000"] }
        );
        return new PublishingBroker(broker, await MqttNetClient.ConnectedAsync(broker.Port, "publisher"));
    }

    /// <summary>Publishes thermal readings of boot "boot"; returns when the broker has them for somebody.</summary>
    public Task PublishAsync(string device, ulong first, int count) =>
        PublishAsync(
            Topics.Readings(device, ReadingKind.Thermal),
            Samples.Batch(device, "boot", first, count).ToByteArray(),
            Payload.ProtobufContentType
        );

    /// <inheritdoc cref="PublishAsync(string, ulong, int)"/>
    public async Task PublishAsync(string topic, byte[] payload, string? contentType) =>
        Assert.Equal(0, await publisher.PublishAsync(topic, payload, contentType));

    public async ValueTask DisposeAsync()
    {
        await publisher.DisposeAsync();
        await broker.DisposeAsync();
    }
}
