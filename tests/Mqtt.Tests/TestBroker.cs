using ThermalStreaming.Testing;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>Starts a broker of the kind that a test asks for.</summary>
static class TestBroker
{
    public static async Task<ITestBroker> StartAsync(BrokerKind kind, BrokerSettings? settings = null) =>
        kind switch
        {
            BrokerKind.Mosquitto => await MosquittoProcess.StartAsync(settings),
            BrokerKind.MqttNet => await MqttNetBroker.StartAsync(settings ?? new BrokerSettings()),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "There is no such broker."),
        };

    /// <summary>How a test's client connects to the plain listener.</summary>
    public static MqttOptions Options(int port, string clientId, params string[] filters) =>
        new()
        {
            Host = "127.0.0.1",
            Port = port,
            ClientId = clientId,
            MaximumReconnectDelay = TimeSpan.FromMilliseconds(200),
            Subscriptions = [.. filters.Select(f => new MqttSubscription(f))],
        };
}
