using ThermalStreaming.Hosting;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Console;

/// <summary>
/// Receives readings from the broker. Its session ends with its connection and its messages have QoS 0, so the broker stores nothing for
/// it, and agents do not take it for a forwarder.
/// </summary>
sealed class BrokerFeed : BackgroundService
{
    const string Part = "broker";

    readonly MqttClient client;
    readonly DeviceBook devices;
    readonly Health health;
    readonly TimeProvider clock;

    public BrokerFeed(ConsoleOptions options, DeviceBook devices, Health health, TimeProvider clock, ILogger<BrokerFeed> logger)
    {
        (this.devices, this.health, this.clock) = (devices, health, clock);
        Address = $"{options.Mqtt.Host}:{options.Mqtt.Port}";
        Since = clock.GetUtcNow();
        client = new MqttClient(options.Mqtt, clock, logger);
        client.ConnectionChanged += OnChanged;
    }

    /// <summary>Host and port of the broker.</summary>
    public string Address { get; }

    /// <summary>Whether it is connected, and subscribed to the readings.</summary>
    public bool IsConnected => client.State.IsReady;

    /// <summary>When <see cref="IsConnected"/> last changed.</summary>
    public DateTimeOffset Since { get; private set; }

    /// <summary>Why it is not connected; empty while it is.</summary>
    public string Problem => IsConnected ? "" : client.State.Rival ?? client.State.LastError ?? $"connecting to {Address}";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var (running, listening) = (client.RunAsync(stoppingToken), ListenAsync(stoppingToken));
        await await Task.WhenAny(running, listening);
        await Task.WhenAll(running, listening);
        await client.DisposeAsync();
    }

    async Task ListenAsync(CancellationToken stop)
    {
        try
        {
            while (await client.WaitForMessagesAsync(stop))
            {
                while (client.TryReceive(out var message))
                {
                    if (Topics.TryParse(message.Topic, out var device, out var kind))
                        devices.Hear(device, MessageReader.Read(in message, kind));
                    client.Acknowledge(message);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    bool wasConnected;

    void OnChanged(MqttConnectionState state)
    {
        if (state.IsReady != wasConnected)
            (wasConnected, Since) = (state.IsReady, clock.GetUtcNow());
        // A page that shows a broken broker is healthy: it shows the problem.
        if (state.IsReady)
            health.Well(Part);
        else
            health.Well(Part, state.Rival ?? state.LastError ?? $"connecting to {Address}");
    }
}
