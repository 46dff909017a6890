using System.Security.Cryptography;
using Microsoft.Extensions.Configuration;
using ThermalStreaming.Hosting;
using ThermalStreaming.Testing;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>The settings of the monitoring of loads.</summary>
public sealed class LoadOptionsTests : IDisposable
{
    readonly TempDirectory directory = new();

    public LoadOptionsTests()
    {
        using var key = RSA.Create(2048);
        File.WriteAllText(directory.File("rsa.p8"), key.ExportPkcs8PrivateKeyPem());
    }

    [Fact]
    public void It_is_off_by_default_and_then_asks_for_nothing_that_it_would_need()
    {
        var (options, problems) = Load([("SNOWFLAKE_ACCOUNT", "not an account"), ("SNOWFLAKE_PRIVATE_KEY_FILE", "/nowhere")]);

        Assert.Null(options);
        Assert.Empty(problems);
    }

    [Fact]
    public void On_it_has_the_defaults_of_sql_classic()
    {
        var (options, problems) = Load(On());

        Assert.Empty(problems);
        Assert.Equal("DEMO.DEMO.INVERTER_PIPE", options!.FullPipe);
        Assert.Equal("s3://readings/inverter-data/", options.StageUrl);
        Assert.Equal((TimeSpan.FromMinutes(8), TimeSpan.FromHours(1)), (options.Interval, options.MissedAfter));
        Assert.Equal("https://myorg-myaccount.snowflakecomputing.com/", options.Url.AbsoluteUri);
    }

    [Fact]
    public void Everything_that_is_missing_is_said_at_once()
    {
        var (_, problems) = Load([("SNOWPIPE_MONITOR", "true"), ("SNOWFLAKE_PRIVATE_KEY_FILE", directory.File("none"))]);

        foreach (
            var key in (string[])
                ["SNOWFLAKE_ACCOUNT", "SNOWFLAKE_USER", "SNOWFLAKE_PRIVATE_KEY_FILE", "SNOWFLAKE_DATABASE", "SNOWFLAKE_SCHEMA"]
        )
            Assert.Single(problems, problem => problem.StartsWith(key, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("SNOWPIPE_STAGE_URL", "s3://other/inverter-data/")]
    [InlineData("SNOWPIPE_STAGE_URL", "s3://readings/inverter-data")]
    [InlineData("SNOWPIPE_STAGE_URL", "https://readings/")]
    [InlineData("SNOWPIPE_PIPE", "DEMO.DEMO.INVERTER_PIPE")]
    [InlineData("SNOWPIPE_MONITOR_INTERVAL", "0")]
    [InlineData("SNOWPIPE_MISSED_AFTER", "14d")]
    [InlineData("SNOWPIPE_MONITOR", "perhaps")]
    public void A_value_that_cannot_be_is_named(string key, string value)
    {
        var (_, problems) = Load([.. On().Where(setting => setting.Key != key), (key, value)]);

        Assert.StartsWith($"{key} is '{value}'", Assert.Single(problems), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("s3://readings/")]
    [InlineData("s3://readings/inverter-data/")]
    public void A_stage_may_point_higher_than_the_objects(string url) =>
        Assert.Equal(url, Load([.. On(), ("SNOWPIPE_STAGE_URL", url)]).Options!.StageUrl);

    (string Key, string Value)[] On() =>
        [
            ("SNOWPIPE_MONITOR", "true"),
            ("SNOWFLAKE_ACCOUNT", "myorg-myaccount"),
            ("SNOWFLAKE_USER", "thermal_streaming_user"),
            ("SNOWFLAKE_PRIVATE_KEY_FILE", directory.File("rsa.p8")),
            ("SNOWFLAKE_DATABASE", "demo"),
            ("SNOWFLAKE_SCHEMA", "demo"),
        ];

    static (LoadOptions? Options, IReadOnlyList<string> Problems) Load((string Key, string Value)[] values)
    {
        var settings = new Settings(
            new ConfigurationBuilder()
                .AddInMemoryCollection(values.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)))
                .Build()
        );
        return (LoadOptionsLoader.Load(settings, "readings", "inverter-data/"), settings.Problems);
    }

    public void Dispose() => directory.Dispose();
}
