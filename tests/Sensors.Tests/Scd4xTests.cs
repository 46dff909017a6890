namespace ThermalStreaming.Sensors.Tests;

public sealed class Scd4xTests : IDisposable
{
    readonly SensorStand stand = new();
    readonly SimulatedScd4x sensor;
    double? pressure;

    public Scd4xTests()
    {
        sensor = new SimulatedScd4x(stand.Clock);
        stand.Bus.Attach(0x62, sensor);
    }

    public void Dispose() => stand.Dispose();

    Scd4x Driver(Scd4xOptions? options = null) => new(stand.Link("scd4x", 0x62), options ?? new(), () => pressure);

    async Task<Scd4x> StartedAsync(Scd4xOptions? options = null)
    {
        var driver = Driver(options);
        Assert.Null(await stand.RunAsync(driver.StartAsync(default)));
        return driver;
    }

    async Task<Measurement?> MeasureAsync(Scd4x driver)
    {
        var outcome = await stand.RunAsync(driver.MeasureAsync(default));
        Assert.Null(outcome.Error);
        return outcome.Value;
    }

    [Fact]
    public async Task Delivers_the_data_sheets_example_once_per_interval()
    {
        var driver = await StartedAsync();
        Assert.Null(await MeasureAsync(driver));
        stand.Clock.Advance(TimeSpan.FromSeconds(5));

        var measurement = await MeasureAsync(driver);

        Assert.Equal(500, measurement!.Co2Ppm);
        Assert.Equal(25.0027, measurement.TemperatureC!.Value, 4);
        Assert.Equal(37.0016, measurement.HumidityPercent!.Value, 4);
        Assert.Equal("scd4x@1:62", measurement.Sensor);
        Assert.Null(await MeasureAsync(driver));
        Assert.Equal(1, sensor.Samples);
        Assert.Equal("SCD40, serial F8969F073BBE, periodic", driver.Description);
        Assert.Empty(sensor.Violations);
    }

    [Fact]
    public async Task Stops_a_sensor_that_a_dead_program_left_measuring()
    {
        sensor.Begin(5);
        stand.Clock.Advance(TimeSpan.FromSeconds(60));

        await StartedAsync(new() { AltitudeMetres = 200 });

        Assert.True(sensor.IsMeasuring);
        Assert.Equal(200, sensor.Altitude);
        Assert.Empty(sensor.Violations);
    }

    [Fact]
    public async Task Writes_its_memory_only_when_a_setting_really_changed()
    {
        var options = new Scd4xOptions
        {
            TemperatureOffsetC = 5.4,
            AltitudeMetres = 1950,
            SelfCalibration = false,
        };

        await StartedAsync(options);
        await StartedAsync(options);

        Assert.Equal(1, sensor.MemoryWrites);
        Assert.Equal((0x07E6, 1950, 0), (sensor.TemperatureOffset, sensor.Altitude, sensor.SelfCalibration));
        await StartedAsync(options with { SelfCalibration = true });
        Assert.Equal(2, sensor.MemoryWrites);
        await StartedAsync();
        Assert.Equal((0x07E6, 1950, 1, 2), (sensor.TemperatureOffset, sensor.Altitude, sensor.SelfCalibration, sensor.MemoryWrites));
        Assert.Empty(sensor.Violations);
    }

    [Fact]
    public async Task Takes_the_barometers_pressure_in_hectopascals_when_it_changed()
    {
        pressure = 99_752;
        var driver = await StartedAsync();
        Assert.Equal((ushort)998, sensor.Pressure);

        foreach (var pascal in new[] { 99_800.0, 99_850, 99_849, 99_860, 30_000 })
        {
            pressure = pascal;
            await MeasureAsync(driver);
        }
        Assert.Equal(1, sensor.Commands.Count(command => command.StartsWith("e000", StringComparison.Ordinal)));
        pressure = 99_905;
        await MeasureAsync(driver);
        Assert.Equal((ushort)999, sensor.Pressure);
        pressure = null;
        await MeasureAsync(driver);
        Assert.Equal((ushort)999, sensor.Pressure);
        Assert.Empty(sensor.Violations);
    }

    [Fact]
    public async Task Starts_again_after_a_power_dip_with_settings_and_pressure()
    {
        pressure = 95_000;
        var runner = stand.Runner(Driver());
        using var stop = new CancellationTokenSource();
        var running = runner.RunAsync(stop.Token);
        await stand.PassAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(SensorState.Working, runner.Status.State);

        sensor.PowerDip();
        await stand.PassAsync(TimeSpan.FromSeconds(16));
        Assert.NotEqual(SensorState.Working, runner.Status.State);
        Assert.Null(runner.Current);
        await stand.PassAsync(TimeSpan.FromSeconds(15));

        Assert.Equal(SensorState.Working, runner.Status.State);
        Assert.Equal((ushort)950, sensor.Pressure);
        Assert.NotNull(runner.Current);
        Assert.Contains(stand.Lines, line => line.StartsWith("Warning: scd4x@1:62 fails: no new value for 1", StringComparison.Ordinal));
        Assert.Contains("Information: scd4x@1:62 delivers again", stand.Lines);
        Assert.Empty(sensor.Violations);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(65_535)]
    public async Task An_impossible_value_is_an_error_and_no_value(int co2)
    {
        sensor.Sample = [(ushort)co2, 0x6667, 0x5EB9];
        var driver = await StartedAsync();
        stand.Clock.Advance(TimeSpan.FromSeconds(5));

        var outcome = await stand.RunAsync(driver.MeasureAsync(default));

        Assert.Equal(("scd4x@1:62", SensorErrorKind.Implausible), (outcome.Error!.Sensor, outcome.Error.Kind));
    }

    [Fact]
    public async Task A_wrong_checksum_of_the_readiness_is_an_error_and_the_value_comes_at_the_next_tick()
    {
        var driver = await StartedAsync();
        stand.Clock.Advance(TimeSpan.FromSeconds(5));
        sensor.Garbled = 1;

        var outcome = await stand.RunAsync(driver.MeasureAsync(default));

        Assert.Equal(SensorErrorKind.Checksum, outcome.Error!.Kind);
        Assert.Equal(500, (await MeasureAsync(driver))!.Co2Ppm);
    }

    [Fact]
    public async Task Low_power_delivers_every_30_s()
    {
        var driver = await StartedAsync(new() { Mode = Scd4xMode.LowPower });
        stand.Clock.Advance(TimeSpan.FromSeconds(29));
        Assert.Null(await MeasureAsync(driver));
        stand.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(TimeSpan.FromSeconds(90), (await MeasureAsync(driver))!.MaxAge);
    }

    [Fact]
    public async Task A_single_shot_is_taken_by_a_chip_that_has_it()
    {
        sensor.Variant = 0x1440;
        var driver = await StartedAsync(new() { Mode = Scd4xMode.SingleShot });

        Assert.Equal(500, (await MeasureAsync(driver))!.Co2Ppm);
        Assert.False(sensor.IsMeasuring);
        Assert.Equal(TimeSpan.FromMinutes(1), driver.Interval);
        Assert.Empty(sensor.Violations);
    }

    [Fact]
    public async Task A_chip_without_single_shots_measures_periodically_and_says_so()
    {
        var driver = await StartedAsync(new() { Mode = Scd4xMode.SingleShot });

        Assert.True(sensor.IsMeasuring);
        Assert.EndsWith("periodic, because it has no single shot", driver.Description, StringComparison.Ordinal);
        Assert.Empty(sensor.Violations);
    }

    [Fact]
    public async Task Wakes_a_sleeping_chip_and_bears_one_that_does_not_know_its_variant()
    {
        (sensor.IsAsleep, sensor.Variant) = (true, null);

        var driver = await StartedAsync();

        Assert.True(sensor.IsMeasuring);
        Assert.StartsWith("SCD4x, serial", driver.Description, StringComparison.Ordinal);
        Assert.Empty(sensor.Violations);
    }

    [Fact]
    public async Task An_absent_sensor_is_not_acknowledged()
    {
        sensor.Unplugged = true;

        var error = await stand.RunAsync(Driver().StartAsync(default));

        Assert.Equal(SensorErrorKind.NotAcknowledged, error!.Kind);
    }

    [Fact]
    public async Task A_forced_recalibration_gives_its_correction_and_fails_without_3_minutes_before()
    {
        sensor.Sample = [530, 0x6667, 0x5EB9];
        var driver = await StartedAsync();
        stand.Clock.Advance(TimeSpan.FromMinutes(1));
        var early = await stand.RunAsync(driver.RecalibrateAsync(480, default));
        Assert.Equal(SensorErrorKind.Refused, early.Error!.Kind);

        await stand.RunAsync(driver.StartAsync(default));
        stand.Clock.Advance(TimeSpan.FromMinutes(3));

        Assert.Equal(-50, (await stand.RunAsync(driver.RecalibrateAsync(480, default))).Value);
        Assert.Empty(sensor.Violations);
    }

    [Theory]
    [InlineData(0, 0, "CO2 of 0 ppm")]
    [InlineData(500, 9, "the checksum of")]
    public async Task Only_bad_values_are_a_failure_that_is_told_with_its_cause(int co2, int garbledLength, string cause)
    {
        sensor.Sample = [(ushort)co2, 0x6667, 0x5EB9];
        var runner = stand.Runner(Driver());
        using var stop = new CancellationTokenSource();
        var running = runner.RunAsync(stop.Token);

        // Started, and without a value yet. A serial number has as many bytes as a value.
        await stand.PassAsync(TimeSpan.FromSeconds(3));
        sensor.GarbledLength = garbledLength;
        await stand.PassAsync(TimeSpan.FromSeconds(16));

        Assert.Contains(
            cause,
            Assert.Single(stand.Lines, line => line.Contains("fails", StringComparison.Ordinal)),
            StringComparison.Ordinal
        );
        Assert.Contains(cause, runner.Status.Problem, StringComparison.Ordinal);
        (sensor.Sample, sensor.GarbledLength) = ([500, 0x6667, 0x5EB9], 0);
        await stand.PassAsync(TimeSpan.FromSeconds(40));
        Assert.Equal(SensorState.Working, runner.Status.State);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task A_single_shot_that_a_dead_program_began_is_waited_for()
    {
        sensor.Variant = 0x1440;
        sensor.BeginShot();

        var driver = await StartedAsync(new() { Mode = Scd4xMode.SingleShot });

        Assert.Equal(500, (await MeasureAsync(driver))!.Co2Ppm);
    }
}
