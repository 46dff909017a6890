namespace ThermalStreaming.Sensors.Tests;

public sealed class Sht4xTests : IDisposable
{
    readonly SensorStand stand = new();
    readonly SimulatedSht4x sensor;

    public Sht4xTests()
    {
        sensor = new SimulatedSht4x(stand.Clock);
        stand.Bus.Attach(0x44, sensor);
    }

    public void Dispose() => stand.Dispose();

    Sht4x Driver() => new(stand.Link("sht4x", 0x44));

    async Task<Sht4x> StartedAsync()
    {
        var driver = Driver();
        Assert.Null(await stand.RunAsync(driver.StartAsync(default)));
        return driver;
    }

    [Theory]
    [InlineData(0x0000, -45)]
    [InlineData(0x6666, 25)]
    [InlineData(0xFFFF, 130)]
    public void Temperatures_of_the_data_sheets_formula(int word, double celsius) => Assert.Equal(celsius, Sht4x.Celsius((ushort)word), 9);

    [Theory]
    [InlineData(0x0000, 0)]
    [InlineData(0x0C49, 0)]
    [InlineData(0x72B0, 50)]
    [InlineData(0xD917, 100)]
    [InlineData(0xFFFF, 100)]
    public void Humidities_are_cut_to_0_to_100(int word, double percent) => Assert.Equal(percent, Sht4x.Percent((ushort)word), 2);

    [Fact]
    public async Task Measures_with_high_precision_names_its_serial_and_never_asks_too_early()
    {
        var driver = await StartedAsync();

        var outcome = await stand.RunAsync(driver.MeasureAsync(default));

        Assert.Equal(25, outcome.Value!.TemperatureC!.Value, 4);
        Assert.Equal(50, outcome.Value.HumidityPercent!.Value, 2);
        Assert.Equal("SHT4x, serial 0F4E8DA2", driver.Description);
        Assert.Equal([0x89, 0x94, 0xFD], sensor.Commands);
        Assert.Empty(sensor.Violations);
    }

    [Fact]
    public async Task Waits_for_a_measurement_that_a_dead_program_began()
    {
        sensor.Begin();

        Assert.Null(await stand.RunAsync(Driver().StartAsync(default)));
    }

    [Fact]
    public async Task A_garbled_or_impossible_answer_is_an_error_that_names_the_sensor_and_never_a_value()
    {
        var driver = await StartedAsync();
        sensor.Garbled = 1;
        var garbled = (await stand.RunAsync(driver.MeasureAsync(default))).Error!;
        Assert.Equal((SensorErrorKind.Checksum, "sht4x@1:44"), (garbled.Kind, garbled.Sensor));

        sensor.Sample = [0xFFFF, 0x72B0];
        Assert.Equal(SensorErrorKind.Implausible, (await stand.RunAsync(driver.MeasureAsync(default))).Error!.Kind);
        sensor.Unplugged = true;
        Assert.Equal(SensorErrorKind.NotAcknowledged, (await stand.RunAsync(driver.MeasureAsync(default))).Error!.Kind);
    }

    [Fact]
    public async Task What_has_no_serial_number_is_another_device_until_one_was_read()
    {
        sensor.GarbledLength = 6;
        var driver = Driver();
        Assert.Equal(SensorErrorKind.WrongDevice, (await stand.RunAsync(driver.StartAsync(default)))!.Kind);

        sensor.GarbledLength = 0;
        Assert.Null(await stand.RunAsync(driver.StartAsync(default)));
        sensor.GarbledLength = 6;
        Assert.Equal(SensorErrorKind.Checksum, (await stand.RunAsync(driver.StartAsync(default)))!.Kind);
    }

    [Fact]
    public async Task A_warm_case_is_taken_off_and_the_air_keeps_its_water()
    {
        using var stop = new CancellationTokenSource();
        var runner = new SensorRunner(Driver(), new QualityWatch(TimeSpan.FromMinutes(10), stand.Clock), 3, stand.Clock, stand.Logger);
        var running = runner.RunAsync(stop.Token);
        await stand.PassAsync(TimeSpan.FromSeconds(5));

        var (celsius, percent) = (runner.Current!.TemperatureC!.Value, runner.Current.HumidityPercent!.Value);

        Assert.Equal(22, celsius, 4);
        Assert.InRange(percent, 59.5, 60.5);
        // As many grams in the same kilogram of air: the vapour's pressure is the same, its volume shrinks with the absolute temperature.
        Assert.Equal(AbsoluteHumidity.Of(25, 50) * 298.15 / 295.15, AbsoluteHumidity.Of(celsius, percent), 2);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }
}
