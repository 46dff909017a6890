using Microsoft.Extensions.Configuration;
using ThermalStreaming.Hosting;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SensorAgent.Tests;

public sealed class AgentOptionsTests
{
    static (AgentOptions Options, Settings Settings) Load(params (string Key, string Value)[] values)
    {
        var settings = new Settings(new ConfigurationBuilder().AddInMemoryCollection(values.ToDictionary(pair => pair.Key, pair => (string?)pair.Value)).Build());
        return (AgentOptions.Load(settings), settings);
    }

    [Fact]
    public void Has_the_originals_defaults()
    {
        var (options, settings) = Load();

        Assert.Empty(settings.Problems);
        Assert.Equal((10, TimeSpan.FromSeconds(5), false, 60, TimeSpan.FromSeconds(20)), (options.BatchSize, options.Interval, options.Simulate, options.Inverters, options.InverterInterval));
        Assert.Equal((TimeSpan.FromMinutes(35), "/data", 1883), (options.ReplayWindow, options.DataDirectory, options.Mqtt.Port));
        Assert.Empty(options.Mqtt.Validate());
    }

    [Fact]
    public void Takes_numbers_as_the_original_wrote_them()
    {
        var (options, settings) = Load(("INTERVAL_SECONDS", "5.0"), ("BATCH_SIZE", "20"), ("SIMULATE", "true"), ("SEED", "-3"), ("MQTT_TLS", "true"), ("DEVICE_ID", "Küche"));

        Assert.Empty(settings.Problems);
        Assert.Equal((TimeSpan.FromSeconds(5), 20, true, -3, 8883), (options.Interval, options.BatchSize, options.Simulate, options.Seed, options.Mqtt.Port));
        Assert.Equal("telemetry/v1/Küche/status", options.Mqtt.Will!.Topic);
    }

    [Fact]
    public void Names_every_problem_at_once_and_no_secret()
    {
        using var directory = new TempDirectory();
        var (_, settings) = Load(("BATCH_SIZE", "0"), ("INTERVAL_SECONDS", "soon"), ("SIMULATE", "perhaps"), ("SEED", "x"), ("INVERTERS_NUM", "-1"), ("DEVICE_ID", "a/b"),
            ("HOST_NET", directory.File("none")), ("MQTT_PORT", "70000"), ("MQTT_PASSWORD", "hunter2"), ("MQTT_CA_FILE", "/ca.pem"), ("MQTT_CLIENT_KEY_FILE", "/key.pem"), ("JOURNAL_MAX_BYTES", "1"));

        foreach (var key in new[] { "BATCH_SIZE", "INTERVAL_SECONDS", "SIMULATE", "SEED", "INVERTERS_NUM", "DEVICE_ID", "HOST_NET", "MQTT_PORT", "MQTT_CA_FILE", "MQTT_CLIENT_KEY_FILE", "JOURNAL_MAX_BYTES" })
            Assert.Contains(settings.Problems, problem => problem.StartsWith(key, StringComparison.Ordinal));
        Assert.DoesNotContain(settings.Problems, problem => problem.Contains("hunter2", StringComparison.Ordinal));
    }

    [Fact]
    public void Reads_a_configuration_file_and_leaves_keys_alone_that_are_not_settings()
    {
        using var directory = new TempDirectory();
        File.WriteAllText(directory.File("c.json"), """{"BATCH_SIZE": 7, "SIMULATE": true, "user": "x", "nested": {"a": 1}}""");
        var builder = new ConfigurationBuilder();

        AgentOptions.AddConfigFile(builder, ["--verbose", "--config", directory.File("c.json")]);

        var options = AgentOptions.Load(new Settings(builder.Build()));
        Assert.Equal((7, true), (options.BatchSize, options.Simulate));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("[]")]
    [InlineData("{")]
    public void Says_when_the_configuration_file_cannot_be_used(string? content)
    {
        using var directory = new TempDirectory();
        if (content is not null)
            File.WriteAllText(directory.File("c.json"), content);

        var e = Assert.Throws<ConfigurationException>(() => AgentOptions.AddConfigFile(new ConfigurationBuilder(), [$"--config={directory.File("c.json")}"]));

        Assert.StartsWith("CONFIG_FILE is '", Assert.Single(e.Problems), StringComparison.Ordinal);
    }
}
