using Microsoft.Extensions.Configuration;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>The settings of a replay.</summary>
public sealed class RecordingSettingsTests : RecordingTestBase
{
    [Theory]
    [InlineData("SOURCE", "replay", "SOURCE is replay and REPLAY_FILE is not set")]
    [InlineData("INVERTER_SOURCE", "replay", "INVERTER_SOURCE is replay and INVERTER_REPLAY_FILE is not set")]
    [InlineData("REPLAY_FILE", "/nowhere/a.ndjson", "REPLAY_FILE is '/nowhere/a.ndjson', which cannot be read")]
    [InlineData("REPLAY_FILE", "/tmp", "REPLAY_FILE is '/tmp', which is a directory")]
    [InlineData("REPLAY_SPEED", "fast", "REPLAY_SPEED is 'fast'")]
    [InlineData("REPLAY_TIME", "then", "REPLAY_TIME is 'then'")]
    [InlineData("INVERTER_SOURCE", "hardware", "INVERTER_SOURCE is 'hardware'")]
    public void A_wrong_setting_is_named(string key, string value, string problem)
    {
        Record(1);
        var settings = Load(
            ("SOURCE", key == "INVERTER_SOURCE" ? "simulate" : "replay"),
            ("REPLAY_FILE", key == "SOURCE" ? "" : File),
            (key, value)
        );

        Assert.StartsWith(problem, Assert.Single(settings.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void A_compressed_file_and_an_endless_loop_at_full_speed_are_refused()
    {
        Record(1);
        Assert.Contains(
            "fill the outbox",
            Assert.Single(Load(("REPLAY_LOOP", "true"), ("REPLAY_SPEED", "max")).Problems),
            StringComparison.Ordinal
        );
        System.IO.File.WriteAllBytes(File, [0x1F, 0x8B, 8]);
        Assert.Contains("gunzip", Assert.Single(Load(("SOURCE", "replay"), ("REPLAY_FILE", File)).Problems), StringComparison.Ordinal);
    }

    static Settings Load(params (string Key, string Value)[] values)
    {
        var settings = new Settings(
            new ConfigurationBuilder()
                .AddInMemoryCollection(
                    values.Reverse().DistinctBy(pair => pair.Key).ToDictionary(pair => pair.Key, pair => (string?)pair.Value)
                )
                .Build()
        );
        AgentOptions.Load(settings);
        return settings;
    }
}
