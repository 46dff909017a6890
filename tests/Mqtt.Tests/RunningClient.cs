using System.Text;
using Microsoft.Extensions.Logging.Abstractions;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>A client whose loop runs for the time of a test.</summary>
sealed class RunningClient : IAsyncDisposable
{
    readonly CancellationTokenSource stop = new();
    readonly List<MqttConnectionState> states = [];
    readonly Task run;

    public RunningClient(MqttOptions options, Action<MqttClient>? beforeRun = null, TimeProvider? clock = null)
    {
        Client = new MqttClient(options, clock ?? TimeProvider.System, NullLogger.Instance);
        Client.ConnectionChanged += s =>
        {
            lock (states)
                states.Add(s);
        };
        beforeRun?.Invoke(Client);
        run = Client.RunAsync(stop.Token);
    }

    public MqttClient Client { get; }

    /// <summary>All states so far.</summary>
    public MqttConnectionState[] Snapshot()
    {
        lock (states)
            return [.. states];
    }

    public async Task<RunningClient> ReadyAsync()
    {
        await Wait.UntilAsync(() => Client.State.IsReady, "the client is ready", () => string.Join("\n", Snapshot().TakeLast(5)));
        return this;
    }

    /// <summary>Waits until one of the states so far tells of an error with this text.</summary>
    public Task UntilErrorAsync(string text) =>
        Wait.UntilAsync(
            () => Snapshot().Any(s => s.LastError?.Contains(text, StringComparison.Ordinal) == true),
            $"an error says '{text}'",
            () => string.Join('\n', Snapshot().TakeLast(5))
        );

    /// <summary>Publishes to the topic <c>t</c> with QoS 1.</summary>
    public Task<MqttReasonCode> PublishAsync(string payload, bool retain = false) =>
        Client.PublishAsync("t", Encoding.UTF8.GetBytes(payload), MqttQos.AtLeastOnce, retain);

    public async Task<MqttMessage> ReceiveAsync()
    {
        using var ceiling = new CancellationTokenSource(Wait.Ceiling);
        while (await Client.WaitForMessagesAsync(ceiling.Token))
        {
            if (Client.TryReceive(out var message))
                return message;
        }
        throw new InvalidOperationException("The client has stopped.");
    }

    public async Task<List<MqttMessage>> ReceiveAsync(int count)
    {
        List<MqttMessage> messages = [];
        while (messages.Count < count)
            messages.Add(await ReceiveAsync());
        return messages;
    }

    public async Task StopAsync()
    {
        await stop.CancelAsync();
        await run.Within();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await Client.DisposeAsync();
    }
}
