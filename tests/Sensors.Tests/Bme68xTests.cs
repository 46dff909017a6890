namespace ThermalStreaming.Sensors.Tests;

public sealed class Bme68xTests : IDisposable
{
    readonly SensorStand stand = new();

    public void Dispose() => stand.Dispose();

    async Task<(SimulatedBme68x Sensor, Bme68x Driver)> StartedAsync(GasMode gas = GasMode.Off, bool isHigh = false)
    {
        var sensor = new SimulatedBme68x(stand.Clock, isHigh);
        stand.Bus.Attach(0x76, sensor);
        var driver = new Bme68x(stand.Link("bme68x", 0x76), gas);
        Assert.Null(await stand.RunAsync(driver.StartAsync(default)));
        return (sensor, driver);
    }

    async Task<Measurement> MeasureAsync(Bme68x driver)
    {
        var outcome = await stand.RunAsync(driver.MeasureAsync(default));
        Assert.Null(outcome.Error);
        return outcome.Value!;
    }

    [Fact]
    public async Task Delivers_the_worked_example_and_no_gas_without_heating()
    {
        var (sensor, driver) = await StartedAsync();

        var measurement = await MeasureAsync(driver);

        Assert.Equal(26.6931, measurement.TemperatureC!.Value, 4);
        Assert.Equal(98_716.93, measurement.PressurePa!.Value, 2);
        Assert.Equal(42.4097, measurement.HumidityPercent!.Value, 3);
        Assert.Null(measurement.GasResistanceOhm);
        Assert.Equal("BME680, gas Off", driver.Description);
        Assert.Empty(sensor.Violations);
    }

    [Fact]
    public async Task Heats_and_reads_the_gas_of_either_variant()
    {
        var (low, driver) = await StartedAsync(GasMode.LowPower);
        Assert.Equal(117_297, (await MeasureAsync(driver)).GasResistanceOhm!.Value, 0);
        Assert.Equal((0x6A, 0x65), (low[0x5A], low[0x64]));
        Assert.Empty(low.Violations);

        var (high, other) = await StartedAsync(GasMode.LowPower, isHigh: true);
        high.GasRange = 9;
        Assert.Equal(117_431, (await MeasureAsync(other)).GasResistanceOhm!.Value, 0);
        Assert.Equal("BME688, gas LowPower", other.Description);
    }

    [Fact]
    public async Task A_plate_that_is_not_hot_gives_no_resistance()
    {
        var (sensor, driver) = await StartedAsync(GasMode.LowPower);
        sensor.IsHeaterStable = false;

        Assert.Null((await MeasureAsync(driver)).GasResistanceOhm);
    }

    [Fact]
    public async Task Heats_every_5_minutes_to_stay_cool()
    {
        var (_, driver) = await StartedAsync(GasMode.UltraLowPower);
        var heated = 0;
        for (var i = 0; i < 201; i++)
        {
            heated += (await MeasureAsync(driver)).GasResistanceOhm is null ? 0 : 1;
            stand.Clock.Advance(TimeSpan.FromSeconds(3));
        }

        Assert.Equal(3, heated);
    }

    [Fact]
    public async Task Measures_rightly_after_a_power_dip_because_it_configures_each_time()
    {
        var (sensor, driver) = await StartedAsync();
        await MeasureAsync(driver);
        sensor.PowerDip();

        Assert.Equal(26.6931, (await MeasureAsync(driver)).TemperatureC!.Value, 4);
        Assert.Equal((2, 0), (sensor.Measurements, sensor.Empty));
    }

    [Fact]
    public async Task Skipped_values_are_no_values()
    {
        var (sensor, driver) = await StartedAsync();
        (sensor.Pressure, sensor.Humidity) = (0x80000, 0x8000);
        var measurement = await MeasureAsync(driver);
        Assert.Null(measurement.PressurePa);
        Assert.Null(measurement.HumidityPercent);
        Assert.Equal(26.6931, measurement.TemperatureC!.Value, 4);

        sensor.Temperature = 0x80000;
        Assert.Equal(SensorErrorKind.NoData, (await stand.RunAsync(driver.MeasureAsync(default))).Error!.Kind);
    }

    [Fact]
    public async Task Other_chips_and_calibrations_of_zeros_are_refused()
    {
        var (sensor, driver) = await StartedAsync();
        sensor.ClearCalibration();
        Assert.Equal(SensorErrorKind.Implausible, (await stand.RunAsync(driver.StartAsync(default)))!.Kind);

        sensor.ChipId = 0x58;
        var error = await stand.RunAsync(driver.StartAsync(default));
        Assert.Equal(SensorErrorKind.WrongDevice, error!.Kind);
        Assert.Contains("BMP280", error.Text, StringComparison.Ordinal);
    }
}
