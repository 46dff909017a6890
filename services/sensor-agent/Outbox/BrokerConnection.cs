using ThermalStreaming.Hosting;
using ThermalStreaming.Mqtt;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// The agent's one connection to the broker: its client, its state for <c>/readyz</c> and <c>/status</c>, and the messages that arrive on
/// it.
/// </summary>
sealed class BrokerConnection : IAsyncDisposable
{
    readonly HomeAssistantPresence homeAssistant;
    readonly Health health;
    readonly ConnectionWatch watch = new();

    public BrokerConnection(
        AgentOptions options,
        ForwarderPresence forwarders,
        HomeAssistantPresence homeAssistant,
        Health health,
        StatusPage page,
        TimeProvider clock,
        ILogger<BrokerConnection> logger
    )
    {
        Forwarders = forwarders;
        this.homeAssistant = homeAssistant;
        this.health = health;
        Client = new MqttClient(
            options.Mqtt with
            {
                Subscriptions = [.. forwarders.Subscriptions, .. homeAssistant.Subscriptions],
            },
            clock,
            logger
        );
        Client.ConnectionChanged += OnChanged;
        health.Unwell("broker", "not connected yet");
        page.Add(json =>
            json.WriteString(
                "mqtt"u8,
                Client.State switch
                {
                    { IsConnected: true } => "connected",
                    { LastError: { } error } => error,
                    _ => "connecting",
                }
            )
        );
    }

    public MqttClient Client { get; }

    /// <summary>What forwarders announce on the connection.</summary>
    public ForwarderPresence Forwarders { get; }

    /// <summary>Connections made after the first.</summary>
    public long Reconnects => Math.Max(0, Client.Counters.Connections - 1);

    /// <summary>Connects, reconnects and listens until cancelled. Call it once.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        var (running, listening) = (Client.RunAsync(stop), ListenAsync(stop));
        // If either fails, the agent must end at once: without listening it would hold its readings back for ever.
        await await Task.WhenAny(running, listening);
        await Task.WhenAll(running, listening);
    }

    /// <inheritdoc cref="ConnectionWatch.WaitAsync"/>
    public Task<CancellationToken> WaitAsync(CancellationToken cancellationToken) => watch.WaitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        watch.Dispose();
    }

    async Task ListenAsync(CancellationToken stop)
    {
        try
        {
            while (await Client.WaitForMessagesAsync(stop))
            {
                while (Client.TryReceive(out var message))
                {
                    Forwarders.Hear(in message);
                    homeAssistant.Hear(in message);
                    Client.Acknowledge(message);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    void OnChanged(MqttConnectionState state)
    {
        watch.Change(state.IsConnected ? state.Generation : 0);
        if (state.IsConnected && state.Rival is null)
            health.Well("broker");
        else if ((state.Rival ?? state.LastError) is { } error)
            health.Unwell("broker", error);
    }
}
