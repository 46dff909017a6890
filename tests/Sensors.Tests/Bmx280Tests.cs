namespace ThermalStreaming.Sensors.Tests;

public sealed class Bmx280Tests : IDisposable
{
    readonly SensorStand stand = new();

    public void Dispose() => stand.Dispose();

    async Task<(SimulatedBmx280 Sensor, Bmx280 Driver)> StartedAsync(bool hasHumidity = true)
    {
        var sensor = new SimulatedBmx280(stand.Clock, hasHumidity);
        stand.Bus.Attach(0x76, sensor);
        var driver = new Bmx280(stand.Link("bmx280", 0x76));
        Assert.Null(await stand.RunAsync(driver.StartAsync(default)));
        return (sensor, driver);
    }

    async Task<Measurement> MeasureAsync(Bmx280 driver)
    {
        var outcome = await stand.RunAsync(driver.MeasureAsync(default));
        Assert.Null(outcome.Error);
        return outcome.Value!;
    }

    /// <summary>Of the BMP280's data sheet, 3.12: ut 519888 and up 415148 are 25.08 °C and 100653.27 Pa.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Delivers_the_worked_example_with_the_humidity_of_its_kind(bool hasHumidity)
    {
        var (sensor, driver) = await StartedAsync(hasHumidity);

        var measurement = await MeasureAsync(driver);

        Assert.Equal(25.08, measurement.TemperatureC!.Value, 2);
        Assert.Equal(100_653.27, measurement.PressurePa!.Value, 2);
        Assert.Equal(hasHumidity, measurement.HumidityPercent is not null);
        Assert.Equal(hasHumidity ? "BME280" : "BMP280", driver.Description);
        Assert.Empty(sensor.Violations);
    }

    /// <summary>The data sheet's other formula, for processors without floating point, is the second opinion.</summary>
    [Theory]
    [InlineData(519_888, 20_000)]
    [InlineData(519_888, 26_500)]
    [InlineData(519_888, 32_000)]
    [InlineData(480_000, 28_000)]
    [InlineData(560_000, 36_000)]
    [InlineData(519_888, 10_000)]
    [InlineData(519_888, 60_000)]
    public async Task Humidity_agrees_with_the_data_sheets_integer_formula(int temperature, int humidity)
    {
        var (sensor, driver) = await StartedAsync();
        (sensor.Temperature, sensor.Humidity) = (temperature, humidity);

        Assert.Equal(IntegerHumidity(temperature, humidity), (await MeasureAsync(driver)).HumidityPercent!.Value, 0.05);

        // BME280 data sheet 4.2.3, with h1 75, h2 367, h3 0, h4 334, h5 50, h6 30.
        static double IntegerHumidity(int adcT, int adcH)
        {
            var var1 = ((adcT >> 3) - (27_504 << 1)) * 26_435 >> 11;
            var var2 = (((adcT >> 4) - 27_504) * ((adcT >> 4) - 27_504) >> 12) * -1_000 >> 14;
            var v = var1 + var2 - 76_800;
            v =
                ((adcH << 14) - (334 << 20) - 50 * v + 16_384 >> 15)
                * (((((v * 30 >> 10) * ((v * 0 >> 11) + 32_768) >> 10) + 2_097_152) * 367 + 8_192) >> 14);
            v -= ((v >> 15) * (v >> 15) >> 7) * 75 >> 4;
            return (Math.Clamp(v, 0, 419_430_400) >> 12) / 1_024.0;
        }
    }

    [Fact]
    public void Calibration_words_are_signed_where_the_chip_has_signs()
    {
        byte[] humidity = [0x00, 0x80, 0xFF, 0x80, 0xF7, 0xFF, 0xFE];
        var calibration = Bmx280Calibration.Parse([.. Enumerable.Repeat((byte)0xFE, 26)], humidity)!;

        Assert.Equal((0xFEFE, -258, -258, 0xFEFE, -258), (calibration.T1, calibration.T2, calibration.T3, calibration.P1, calibration.P9));
        Assert.Equal((0xFE, -32_768, 255), (calibration.H1, calibration.H2, calibration.H3));
        Assert.Equal((-2_048 + 7, -1, -2), (calibration.H4, calibration.H5, calibration.H6));
    }

    [Fact]
    public async Task Measures_rightly_after_a_power_dip_because_it_configures_each_time()
    {
        var (sensor, driver) = await StartedAsync();
        await MeasureAsync(driver);
        sensor.PowerDip();
        stand.Clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(25.08, (await MeasureAsync(driver)).TemperatureC!.Value, 2);
        Assert.Equal((2, 0), (sensor.Measurements, sensor.Empty));
        Assert.Empty(sensor.Violations);
    }

    [Fact]
    public async Task A_power_dip_while_it_measures_gives_no_value()
    {
        var (sensor, driver) = await StartedAsync();
        sensor.DipsWhileMeasuring = true;

        var error = (await stand.RunAsync(driver.MeasureAsync(default))).Error!;

        Assert.Equal((SensorErrorKind.NoData, "bmx280@1:76"), (error.Kind, error.Sensor));
        Assert.Contains("reset", error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Skipped_or_impossible_values_are_no_values()
    {
        var (sensor, driver) = await StartedAsync();
        (sensor.Pressure, sensor.Humidity) = (0x80000, 0x8000);
        var measurement = await MeasureAsync(driver);
        Assert.Equal((null, null), (measurement.PressurePa, measurement.HumidityPercent));

        sensor.Temperature = 0x80000;
        Assert.Equal(SensorErrorKind.NoData, (await stand.RunAsync(driver.MeasureAsync(default))).Error!.Kind);
        sensor.Temperature = 0xFFFFF;
        Assert.Equal(SensorErrorKind.Implausible, (await stand.RunAsync(driver.MeasureAsync(default))).Error!.Kind);
    }

    [Fact]
    public async Task Other_chips_and_calibrations_that_cannot_be_trusted_are_refused()
    {
        var (sensor, driver) = await StartedAsync();
        for (var register = 0x88; register < 0xA2; register++)
            sensor[(byte)register] = 0;
        Assert.Equal(SensorErrorKind.Implausible, (await stand.RunAsync(driver.StartAsync(default)))!.Kind);

        sensor.ChipId = 0x61;
        var error = (await stand.RunAsync(driver.StartAsync(default)))!;
        Assert.Equal(SensorErrorKind.WrongDevice, error.Kind);
        Assert.Contains("bme68x", error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_different_reads_of_the_calibration_are_an_error()
    {
        var (sensor, driver) = await StartedAsync();
        sensor.GarbledOnce = 0x88;

        Assert.Equal(SensorErrorKind.Checksum, (await stand.RunAsync(driver.StartAsync(default)))!.Kind);
        Assert.Null(await stand.RunAsync(driver.StartAsync(default)));
    }
}
