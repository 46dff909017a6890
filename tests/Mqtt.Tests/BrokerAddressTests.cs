using Microsoft.Extensions.Configuration;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>MQTT_HOST as people write it.</summary>
public sealed class BrokerAddressTests
{
    [Theory]
    [InlineData("mosquitto")]
    [InlineData("my_broker")]
    [InlineData("pi.local.")]
    [InlineData("192.168.1.20")]
    [InlineData("::1")]
    [InlineData("fe80::1%1")]
    [InlineData("2001:db8::5")]
    [InlineData("xn--brcke-kva.example")]
    [InlineData(" mosquitto ")]
    public void A_name_or_an_address_is_taken(string host) => Assert.Empty(Problems(host));

    [Theory]
    [InlineData("mqtt://pi.local", "the scheme 'mqtt://'", "MQTT_HOST=pi.local.")]
    [InlineData("mqtts://pi.local:8883", "the scheme 'mqtts://' and the port '8883'", "MQTT_HOST=pi.local, MQTT_PORT=8883, MQTT_TLS=true.")]
    [InlineData("tcp://10.0.0.7:1883/", "the port '1883'", "MQTT_HOST=10.0.0.7, MQTT_PORT=1883.")]
    [InlineData("ws://pi.local:9001/mqtt", "the path '/mqtt'", "not over WebSocket")]
    [InlineData("pi.local:1884", "the port '1884'", "MQTT_HOST=pi.local, MQTT_PORT=1884.")]
    [InlineData("pi.local:", "the port ''", "MQTT_HOST=pi.local, MQTT_PORT=1883.")]
    [InlineData("[::1]", "brackets", "MQTT_HOST=::1.")]
    [InlineData("[2001:db8::5]:8883", "brackets and the port '8883'", "MQTT_HOST=2001:db8::5, MQTT_PORT=8883.")]
    [InlineData("pi.local/mqtt", "the path '/mqtt'", "MQTT_HOST=pi.local.")]
    [InlineData("\"pi.local\"", "quotes", "MQTT_HOST=pi.local.")]
    [InlineData("pi .local", "white space", "for example mosquitto")]
    [InlineData("a,b", "several brokers", "for example mosquitto")]
    [InlineData("192.168.1.300", "not an IPv4 address", "for example mosquitto")]
    [InlineData("192.168.1", "not an IPv4 address", "for example mosquitto")]
    [InlineData("2001:db8::5::1", "not an IPv6 address", "for example mosquitto")]
    [InlineData("pi..local", "not a host name", "for example mosquitto")]
    [InlineData("pi*", "a '*' in it", "for example mosquitto")]
    [InlineData("mqtt://", "the scheme 'mqtt://'", "for example mosquitto")]
    public void What_is_wrong_and_how_it_should_be_written_are_said(string host, string wrong, string right)
    {
        var problem = Assert.Single(Problems(host));

        Assert.StartsWith($"MQTT_HOST is '{host}', ", problem, StringComparison.Ordinal);
        Assert.Contains(wrong, problem, StringComparison.Ordinal);
        Assert.Contains(right, problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mqtt://user:s3cret@pi.local:1883")]
    [InlineData("mqtt://user:s3cret/@x@pi.local/path")]
    [InlineData("user:s3cret@pi.local")]
    public void A_password_in_it_is_never_shown(string host)
    {
        var problem = Assert.Single(Problems(host));

        Assert.DoesNotContain("s3cret", problem, StringComparison.Ordinal);
        Assert.Contains("***@pi.local", problem, StringComparison.Ordinal);
        Assert.Contains("MQTT_HOST=pi.local", problem, StringComparison.Ordinal);
        Assert.Contains("MQTT_PASSWORD_FILE", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0f1e2d3c\n", "0f1e2d3c", null)]
    [InlineData("0F1E2D3C", null, "0F1E2D3C")]
    [InlineData("", null, "8 hexadecimal digits")]
    [InlineData(null, null, null)]
    public void The_identity_of_the_installation_lies_beside_the_password(string? content, string? id, string? says)
    {
        using var directory = new ThermalStreaming.Testing.TempDirectory();
        if (content is not null)
            File.WriteAllText(directory.File("installation"), content);
        var settings = new Settings(
            new ConfigurationBuilder()
                .AddInMemoryCollection([KeyValuePair.Create<string, string?>("MQTT_PASSWORD_FILE", directory.File("password"))])
                .Build()
        );

        Assert.Equal(id, MqttSettings.Installation(settings));
        if (says is null)
            Assert.Empty(settings.Problems);
        else
            Assert.Contains(says, Assert.Single(settings.Problems), StringComparison.Ordinal);
    }

    static IReadOnlyList<string> Problems(string host)
    {
        var settings = new Settings(
            new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create<string, string?>("MQTT_HOST", host)]).Build()
        );
        _ = MqttSettings.Load(settings, "client");
        return settings.Problems;
    }
}
