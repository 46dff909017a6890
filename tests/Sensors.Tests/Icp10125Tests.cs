namespace ThermalStreaming.Sensors.Tests;

public sealed class Icp10125Tests : IDisposable
{
    readonly SensorStand stand = new();
    readonly SimulatedIcp10125 sensor;

    public Icp10125Tests()
    {
        sensor = new SimulatedIcp10125(stand.Clock);
        stand.Bus.Attach(0x63, sensor);
    }

    public void Dispose() => stand.Dispose();

    Icp10125 Driver(IcpMode mode = IcpMode.LowNoise) => new(stand.Link("icp10125", 0x63), mode);

    [Theory]
    [InlineData(IcpMode.LowPower)]
    [InlineData(IcpMode.Normal)]
    [InlineData(IcpMode.LowNoise)]
    [InlineData(IcpMode.UltraLowNoise)]
    public async Task Delivers_the_worked_example_in_every_mode_and_never_asks_too_early(IcpMode mode)
    {
        var driver = Driver(mode);
        Assert.Null(await stand.RunAsync(driver.StartAsync(default)));

        var outcome = await stand.RunAsync(driver.MeasureAsync(default));

        Assert.Equal(101_326.4074, outcome.Value!.PressurePa!.Value, 4);
        Assert.Equal(24.2593, outcome.Value.TemperatureC!.Value, 4);
        Assert.Empty(sensor.Violations);
    }

    [Fact]
    public async Task Waits_for_a_measurement_that_a_dead_program_began()
    {
        sensor.Begin();

        Assert.Null(await stand.RunAsync(Driver().StartAsync(default)));
    }

    [Fact]
    public async Task Another_device_at_its_address_is_named()
    {
        sensor.Id = 0x0149;

        var error = await stand.RunAsync(Driver().StartAsync(default));

        Assert.Equal(SensorErrorKind.WrongDevice, error!.Kind);
        Assert.Contains("0x0149", error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_checksum_or_an_impossible_pressure_is_no_value()
    {
        var driver = Driver();
        await stand.RunAsync(driver.StartAsync(default));
        sensor.Garbled = 1;
        Assert.Equal(SensorErrorKind.Checksum, (await stand.RunAsync(driver.MeasureAsync(default))).Error!.Kind);

        sensor.Sample = [0xFFFF, 0xFF00, 0x6551];
        Assert.Equal(SensorErrorKind.Implausible, (await stand.RunAsync(driver.MeasureAsync(default))).Error!.Kind);
    }
}
