using System.Text;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>The client against a real broker.</summary>
public sealed class MosquittoTests
{
    static MqttOptions Options(MosquittoProcess broker, string clientId, params string[] filters) => new()
    {
        Host = "127.0.0.1",
        Port = broker.Port,
        ClientId = clientId,
        MaximumReconnectDelay = TimeSpan.FromMilliseconds(200),
        Subscriptions = [.. filters.Select(f => new MqttSubscription(f))],
    };

    [Fact]
    public async Task Publishes_receives_and_acknowledges()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        await using var subscriber = await new RunningClient(Options(broker, "subscriber", "telemetry/#")).ReadyAsync();
        await using var publisher = await new RunningClient(Options(broker, "publisher")).ReadyAsync();

        var reason = await publisher.Client.PublishAsync("telemetry/v1/pi/thermal", "22.5"u8.ToArray(), MqttQos.AtLeastOnce, contentType: "text/plain").Within();
        var message = await subscriber.ReceiveAsync();
        subscriber.Client.Acknowledge(message);

        Assert.Equal(MqttReasonCode.Success, reason);
        Assert.Equal("telemetry/v1/pi/thermal", message.Topic);
        Assert.Equal("22.5", Encoding.UTF8.GetString(message.Payload.Span));
        Assert.Equal("text/plain", message.ContentType);
        Assert.Equal(MqttQos.AtLeastOnce, message.Qos);
        Assert.Equal(1, subscriber.Client.Counters.Acknowledged);
    }
}
