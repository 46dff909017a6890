using System.Globalization;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>What ./up says of buses that it finds.</summary>
public sealed class SensorOfferTests : IDisposable
{
    readonly TempDirectory directory = new();

    public SensorOfferTests()
    {
        Directory.CreateDirectory(directory.File("dev"));
        Directory.CreateDirectory(directory.File("w1"));
    }

    public void Dispose() => directory.Dispose();

    string? Offer(string? source, bool hasStandIns = true)
    {
        var project = hasStandIns ? Project.With("sensor-agent", "snowflake") : Project.With("sensor-agent");
        project["services"]!["sensor-agent"]!["environment"]!["SOURCE"] = source;
        return SensorOffer.For(project.Parse(), directory.File("dev"), directory.File("w1"));
    }

    void Bus(params int[] numbers)
    {
        foreach (var number in numbers)
            File.WriteAllText(directory.File($"dev/i2c-{number}"), "");
    }

    [Fact]
    public void The_bus_of_the_header_is_offered_with_its_group_and_the_files_of_this_installation()
    {
        Bus(20, 1, 21);
        var group = string.Create(CultureInfo.InvariantCulture, $"{SystemCalls.GroupOf(directory.File("dev/i2c-1"))}");

        Assert.Equal(
            $"/dev/i2c-1: COMPOSE_FILE=compose.yaml:compose.override.yaml:compose.hardware.yaml, I2C_GROUP={group} in .env, "
                + "then ./up --no-build (docs/hardware.md)",
            Offer("simulate")
        );
        Assert.Contains("COMPOSE_FILE=compose.yaml:compose.hardware.yaml,", Offer("replay", hasStandIns: false), StringComparison.Ordinal);
    }

    [Fact]
    public void Another_bus_is_named_in_both_settings()
    {
        Bus(13, 3);
        File.WriteAllText(directory.File("dev/i2c-old"), "");

        Assert.Contains(", I2C_DEVICE=/dev/i2c-3, I2C_BUSES=3 in .env", Offer("simulate"), StringComparison.Ordinal);
    }

    [Fact]
    public void Thermometers_on_1_wire_need_no_bus()
    {
        Directory.CreateDirectory(directory.File("w1/28-0316a2794aff"));
        Directory.CreateDirectory(directory.File("w1/w1_bus_master1"));
        Assert.Equal("1 DS18B20: SOURCE=auto and I2C_BUSES=none in .env, then ./up --no-build", Offer("simulate"));

        Bus(1);
        Assert.StartsWith("/dev/i2c-1 and 1 DS18B20: COMPOSE_FILE=", Offer("simulate"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("hardware")]
    [InlineData("auto")]
    public void Who_reads_sensors_already_is_offered_nothing(string source)
    {
        Bus(1);

        Assert.Null(Offer(source));
    }

    [Fact]
    public void A_machine_without_buses_hears_nothing() => Assert.Null(Offer("simulate"));
}
