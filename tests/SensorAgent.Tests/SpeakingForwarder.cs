using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>Says as a forwarder does, and more often, that it takes readings of some kinds. It falls silent when it is disposed.</summary>
sealed class SpeakingForwarder : IAsyncDisposable
{
    readonly MqttClient client;
    readonly CancellationTokenSource stop = new();
    readonly Task running;
    readonly Task speaking;

    public SpeakingForwarder(int port, params ReadingKind[] kinds)
    {
        client = Client(port, $"forwarder-{string.Join('-', kinds)}");
        running = client.RunAsync(stop.Token);
        speaking = SpeakAsync(kinds);
    }

    /// <summary>Leaves a retained word at the broker, as no forwarder of ours does and anybody else might.</summary>
    public static async Task LeaveRetainedAsync(int port, ReadingKind kind)
    {
        await using var client = Client(port, "retainer");
        using var stop = new CancellationTokenSource();
        var running = client.RunAsync(stop.Token);
        await client.PublishAsync(Topics.Forwarders(kind), "stale"u8.ToArray(), MqttQos.AtLeastOnce, retain: true);
        await stop.CancelAsync();
        await running;
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await speaking;
        await running;
        await client.DisposeAsync();
        stop.Dispose();
    }

    static MqttClient Client(int port, string id) =>
        new(
            new MqttOptions
            {
                Host = "127.0.0.1",
                Port = port,
                ClientId = id,
                MaximumReconnectDelay = TimeSpan.FromMilliseconds(200),
            },
            TimeProvider.System,
            NullLogger.Instance
        );

    async Task SpeakAsync(ReadingKind[] kinds)
    {
        try
        {
            while (true)
            {
                foreach (var kind in kinds)
                    await client.PublishAsync(
                        Topics.Forwarders(kind),
                        ReadOnlyMemory<byte>.Empty,
                        MqttQos.AtMostOnce,
                        cancellationToken: stop.Token
                    );
                await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System, stop.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or MqttException)
        {
            // The stop.
        }
    }
}
