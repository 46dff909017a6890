using ThermalStreaming.Testing;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>The client by which tests of other projects publish.</summary>
public sealed class MqttNetClientTests
{
    [Fact]
    public async Task A_broker_that_goes_away_before_it_answers_is_no_exception()
    {
        await using var broker = new FakeBroker(
            async (connection, _) =>
            {
                await connection.AcceptAsync();
                await connection.ReadPublishAsync();
            }
        );
        await using var client = new MqttNetClient();
        Assert.Equal(0, await client.ConnectAsync(broker.Options().Port, "publisher"));

        Assert.Equal(-MqttNetClient.NoAnswer, await client.PublishAsync("a", [1]));
    }
}
