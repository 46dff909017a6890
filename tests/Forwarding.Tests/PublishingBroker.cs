using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>A real broker, and a client that publishes readings.</summary>
sealed class PublishingBroker : IAsyncDisposable
{
    readonly CancellationTokenSource stop = new();
    readonly MosquittoProcess broker;
    readonly MqttClient publisher;
    readonly Task publishing;

    PublishingBroker(MosquittoProcess broker)
    {
        this.broker = broker;
        publisher = new MqttClient(new MqttOptions { Host = "127.0.0.1", Port = broker.Port, ClientId = "publisher" }, TimeProvider.System, NullLogger.Instance);
        publishing = publisher.RunAsync(stop.Token);
    }

    public int Port => broker.Port;

    public static async Task<PublishingBroker> StartAsync()
        => new(await MosquittoProcess.StartAsync(new MosquittoSettings { Persistence = true, Configuration = ["max_queued_messages 100000", "max_inflight_messages 1000"] }));

    /// <summary>Publishes thermal readings of boot "boot"; returns when the broker has them for somebody.</summary>
    public Task PublishAsync(string device, ulong first, int count)
        => PublishAsync(Topics.Readings(device, ReadingKind.Thermal), Samples.Batch(device, "boot", first, count).ToByteArray(), Payload.ProtobufContentType);

    /// <inheritdoc cref="PublishAsync(string, ulong, int)"/>
    public async Task PublishAsync(string topic, byte[] payload, string? contentType)
        => Assert.Equal(MqttReasonCode.Success, await publisher.PublishAsync(topic, payload, MqttQos.AtLeastOnce, contentType: contentType).WaitAsync(TimeSpan.FromSeconds(60)));

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await publishing;
        await publisher.DisposeAsync();
        await broker.DisposeAsync();
        stop.Dispose();
    }
}
