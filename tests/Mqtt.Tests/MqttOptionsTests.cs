namespace ThermalStreaming.Mqtt.Tests;

/// <summary>What the options accept and print.</summary>
public sealed class MqttOptionsTests
{
    [Fact]
    public void Options_never_print_the_password()
    {
        var options = new MqttOptions { ClientId = "agent", Password = "secret" };

        Assert.Equal("localhost:1883 as 'agent'", options.ToString());
    }

    [Fact]
    public void Options_that_cannot_be_used_are_all_named()
    {
        var options = new MqttOptions
        {
            Host = " ",
            Port = 0,
            ReceiveMaximum = 1001,
            KeepAlive = TimeSpan.Zero,
            ClientId = "a\0",
            Will = new MqttAnnouncement { Topic = "a/#", Payload = new byte[1] },
            Subscriptions = [new MqttSubscription("$share/x"), new MqttSubscription("t", MqttQos.ExactlyOnce)],
            Tls = new MqttTls { ClientKeyFile = "key" },
        };

        var problems = options.Validate();

        Assert.Equal(9, problems.Count);
        Assert.Contains(problems, p => p.Contains("1001; it must be 1 to 1000", StringComparison.Ordinal));
        Assert.Empty(new MqttOptions().Validate());
    }
}
