using Microsoft.Extensions.Configuration;
using ThermalStreaming.Hosting;
using ThermalStreaming.Sensors;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SensorAgent.Tests;

public sealed class AgentOptionsTests
{
    static (AgentOptions Options, Settings Settings) Load(params (string Key, string Value)[] values)
    {
        var settings = new Settings(
            new ConfigurationBuilder().AddInMemoryCollection(values.ToDictionary(pair => pair.Key, pair => (string?)pair.Value)).Build()
        );
        return (AgentOptions.Load(settings), settings);
    }

    [Fact]
    public void Has_the_originals_defaults()
    {
        var (options, settings) = Load();

        Assert.Empty(settings.Problems);
        Assert.Equal(
            (10, TimeSpan.FromSeconds(5), false, 60, TimeSpan.FromSeconds(20)),
            (options.BatchSize, options.Interval, options.Simulate, options.Inverters, options.InverterInterval)
        );
        Assert.Equal((TimeSpan.FromMinutes(35), "/data", 1883), (options.ReplayWindow, options.DataDirectory, options.Mqtt.Port));
        Assert.Empty(options.Mqtt.Validate());
    }

    [Fact]
    public void Takes_numbers_as_the_original_wrote_them()
    {
        var (options, settings) = Load(
            ("INTERVAL_SECONDS", "5.0"),
            ("BATCH_SIZE", "20"),
            ("SOURCE", "simulate"),
            ("SEED", "-3"),
            ("MQTT_TLS", "true"),
            ("DEVICE_ID", "Küche")
        );

        Assert.Empty(settings.Problems);
        Assert.Equal(
            (TimeSpan.FromSeconds(5), 20, true, -3, 8883),
            (options.Interval, options.BatchSize, options.Simulate, options.Seed, options.Mqtt.Port)
        );
        Assert.Equal("telemetry/v1/Küche/status", options.Mqtt.Will!.Topic);
    }

    [Theory]
    [InlineData(null, "Auto", false)]
    [InlineData("simulate", "Simulate", true)]
    [InlineData("hardware", "Hardware", false)]
    public void SOURCE_says_where_values_come_from(string? source, string expected, bool simulates)
    {
        var (options, settings) = Load(("SOURCE", source ?? ""), ("SIMULATE", ""));

        Assert.Empty(settings.Problems);
        Assert.Equal((expected, simulates), (options.Source.ToString(), options.Simulate));
    }

    [Theory]
    [InlineData("true")]
    [InlineData("false")]
    public void SIMULATE_of_earlier_versions_is_refused_with_what_replaced_it(string simulate) =>
        Assert.Equal(
            "SIMULATE is set, but this service no longer reads it; remove it, and set SOURCE=simulate for simulated values or SOURCE=auto "
                + "for those of the attached sensors.",
            Assert.Single(Load(("SIMULATE", simulate)).Settings.Problems)
        );

    [Fact]
    public void Takes_the_settings_of_real_sensors_and_leaves_a_sensors_own_alone()
    {
        var (none, _) = Load();
        Assert.Equal([1], none.Sensors.Buses);
        Assert.Equal(
            (null, null, null, TimeSpan.FromMinutes(10)),
            (
                none.Sensors.Scd4x.TemperatureOffsetC,
                none.Sensors.Scd4x.AltitudeMetres,
                none.Sensors.Scd4x.SelfCalibration,
                none.Sensors.StuckAfter
            )
        );

        var (options, settings) = Load(
            ("I2C_BUSES", "1, 3"),
            ("SCD4X_MODE", "low-power"),
            ("SCD4X_TEMPERATURE_OFFSET", "5.4"),
            ("SCD4X_ALTITUDE", "430"),
            ("SCD4X_SELF_CALIBRATION", "off"),
            ("ICP10125_MODE", "UltraLowNoise"),
            ("BME68X_GAS", "LowPower"),
            ("SENSOR_STUCK_AFTER", "1h"),
            ("DATA_DIRECTORY", "/d")
        );

        Assert.Empty(settings.Problems);
        var sensors = options.Sensors;
        Assert.Equal([1, 3], sensors.Buses);
        Assert.Equal(
            (5.4, 430, false, Scd4xMode.LowPower),
            (sensors.Scd4x.TemperatureOffsetC, sensors.Scd4x.AltitudeMetres, sensors.Scd4x.SelfCalibration, sensors.Scd4x.Mode)
        );
        Assert.Equal(
            (IcpMode.UltraLowNoise, GasMode.LowPower, TimeSpan.FromHours(1), "/d/sensors"),
            (sensors.Icp, sensors.Gas, sensors.StuckAfter, sensors.Directory)
        );
    }

    [Fact]
    public void Takes_how_warm_cases_are_and_no_bus_at_all()
    {
        var (options, settings) = Load(
            ("I2C_BUSES", "none"),
            ("SHT4X_TEMPERATURE_OFFSET", "1.5"),
            ("BMX280_TEMPERATURE_OFFSET", "2"),
            ("BME68X_TEMPERATURE_OFFSET", "3.25"),
            ("DS18B20_TEMPERATURE_OFFSET", "-0.5")
        );

        Assert.Empty(settings.Problems);
        Assert.Empty(options.Sensors.Buses);
        Assert.Equal(
            new TemperatureOffsets
            {
                Sht4x = 1.5,
                Bmx280 = 2,
                Bme68x = 3.25,
                Ds18b20 = -0.5,
            },
            options.Sensors.Warmth
        );
        Assert.StartsWith(
            "DS18B20_TEMPERATURE_OFFSET is '21'; it must be a number, -20 to 20",
            Assert.Single(Load(("DS18B20_TEMPERATURE_OFFSET", "21")).Settings.Problems),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("I2C_BUSES", "i2c-1")]
    [InlineData("I2C_BUSES", "1,1")]
    [InlineData("I2C_BUSES", ",")]
    [InlineData("SCD4X_TEMPERATURE_OFFSET", "21")]
    [InlineData("SCD4X_ALTITUDE", "-5")]
    [InlineData("SCD4X_SELF_CALIBRATION", "weekly")]
    [InlineData("SOURCE", "recorded")]
    public void Says_when_a_setting_of_real_sensors_cannot_be(string key, string value) =>
        Assert.StartsWith($"{key} is '{value}'", Assert.Single(Load((key, value)).Settings.Problems), StringComparison.Ordinal);

    [Fact]
    public void Names_every_problem_at_once_and_no_secret()
    {
        using var directory = new TempDirectory();
        var (_, settings) = Load(
            ("BATCH_SIZE", "0"),
            ("INTERVAL_SECONDS", "soon"),
            ("SOURCE", "perhaps"),
            ("SEED", "x"),
            ("INVERTERS_NUM", "-1"),
            ("DEVICE_ID", "a/b"),
            ("HOST_NET", directory.File("none")),
            ("MQTT_PORT", "70000"),
            ("MQTT_PASSWORD", "hunter2"),
            ("MQTT_CA_FILE", "/ca.pem"),
            ("MQTT_CLIENT_KEY_FILE", "/key.pem"),
            ("JOURNAL_MAX_BYTES", "1")
        );

        foreach (
            var key in new[]
            {
                "BATCH_SIZE",
                "INTERVAL_SECONDS",
                "SOURCE",
                "SEED",
                "INVERTERS_NUM",
                "DEVICE_ID",
                "HOST_NET",
                "MQTT_PORT",
                "MQTT_CA_FILE",
                "MQTT_CLIENT_KEY_FILE",
                "JOURNAL_MAX_BYTES",
            }
        )
            Assert.Contains(settings.Problems, problem => problem.StartsWith(key, StringComparison.Ordinal));
        Assert.DoesNotContain(settings.Problems, problem => problem.Contains("hunter2", StringComparison.Ordinal));
    }

    [Fact]
    public void Reads_a_configuration_file_and_leaves_keys_alone_that_are_not_settings()
    {
        using var directory = new TempDirectory();
        File.WriteAllText(directory.File("c.json"), """{"BATCH_SIZE": 7, "SOURCE": "simulate", "user": "x", "nested": {"a": 1}}""");
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

        var e = Assert.Throws<ConfigurationException>(() =>
            AgentOptions.AddConfigFile(new ConfigurationBuilder(), [$"--config={directory.File("c.json")}"])
        );

        Assert.StartsWith("CONFIG_FILE is '", Assert.Single(e.Problems), StringComparison.Ordinal);
    }
}
