using System.Text;
using System.Text.Json;
using MQTTnet;
using MQTTnet.Protocol;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>
/// Behaves as Home Assistant's MQTT integration does: subscribes to the discovery prefix, says that it is online, and subscribes to the
/// topics that a description names only after it has read it. Its client is MQTTnet's.
/// </summary>
sealed class HomeAssistantStand : IAsyncDisposable
{
    static readonly TimeSpan patience = TimeSpan.FromSeconds(60);

    readonly IMqttClient client = new MqttClientFactory().CreateMqttClient();
    readonly List<(string Topic, string Payload, bool Retain)> messages = [];
    readonly HashSet<string> followed = [];

    /// <summary>Connects and subscribes to descriptions.</summary>
    public static async Task<HomeAssistantStand> StartAsync(int port)
    {
        var stand = new HomeAssistantStand();
        stand.client.ApplicationMessageReceivedAsync += stand.TakeAsync;
        await stand.client.ConnectAsync(
            new MqttClientOptionsBuilder()
                .WithTcpServer("127.0.0.1", port)
                .WithProtocolVersion(MQTTnet.Formatter.MqttProtocolVersion.V311)
                .Build()
        );
        await stand.client.SubscribeAsync("homeassistant/#");
        return stand;
    }

    /// <summary>Says that it has started, as it does after it has connected.</summary>
    public Task SayOnlineAsync() => client.PublishStringAsync("homeassistant/status", "online", MqttQualityOfServiceLevel.AtMostOnce);

    public List<(string Topic, string Payload, bool Retain)> Messages
    {
        get
        {
            lock (messages)
                return [.. messages];
        }
    }

    /// <summary>The descriptions that came, oldest first.</summary>
    public List<JsonElement> Descriptions =>
        [.. Messages.Where(message => IsDescription(message.Topic)).Select(message => Json(message.Payload))];

    /// <summary>Waits for something.</summary>
    public async Task UntilAsync(Func<HomeAssistantStand, bool> wanted)
    {
        using var timeout = new CancellationTokenSource(patience);
        while (!wanted(this))
        {
            if (timeout.IsCancellationRequested)
                throw new TimeoutException($"What was waited for did not come; there is {string.Join('\n', Messages)}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (client.IsConnected)
            await client.DisconnectAsync();
        client.Dispose();
    }

    async Task TakeAsync(MqttApplicationMessageReceivedEventArgs received)
    {
        var message = received.ApplicationMessage;
        var payload = Encoding.UTF8.GetString(message.Payload);
        lock (messages)
            messages.Add((message.Topic, payload, message.Retain));
        if (!IsDescription(message.Topic))
            return;
        var description = Json(payload);
        foreach (var name in (string[])["state_topic", "availability_topic"])
        {
            if (followed.Add(description.GetProperty(name).GetString()!))
                await client.SubscribeAsync(description.GetProperty(name).GetString()!);
        }
    }

    static bool IsDescription(string topic) => topic.EndsWith("/config", StringComparison.Ordinal);

    static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;
}
