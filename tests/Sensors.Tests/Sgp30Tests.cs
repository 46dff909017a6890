namespace ThermalStreaming.Sensors.Tests;

public sealed class Sgp30Tests : IDisposable
{
    readonly SensorStand stand = new();
    readonly SimulatedSgp30 sensor;
    (double, double)? air;

    public Sgp30Tests()
    {
        sensor = new SimulatedSgp30(stand.Clock);
        stand.Bus.Attach(0x58, sensor);
    }

    public void Dispose() => stand.Dispose();

    BaselineFile Baselines => new(stand.Data.File("sensors"), stand.Logger);

    SensorRunner Runner() => stand.Runner(new Sgp30(stand.Link("sgp30", 0x58), Baselines, () => air, stand.Now));

    /// <summary>Runs a sensor; the returned action ends it.</summary>
    async Task<(SensorRunner Runner, Func<Task> StopAsync)> RunForAsync(TimeSpan time)
    {
        var runner = Runner();
        var stop = new CancellationTokenSource();
        var running = runner.RunAsync(stop.Token);
        await stand.PassAsync(time);
        return (runner, StopAsync);

        async Task StopAsync()
        {
            await stop.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
            stop.Dispose();
        }
    }

    [Fact]
    public async Task Has_no_value_for_15_s_and_is_asked_every_second_on_the_second()
    {
        var (runner, stopAsync) = await RunForAsync(TimeSpan.FromSeconds(14.9));
        Assert.Null(runner.Current);
        Assert.Equal(SensorState.Starting, runner.Status.State);

        await stand.PassAsync(TimeSpan.FromSeconds(45));

        Assert.Equal((512.0, 37.0), (runner.Current!.EquivalentCo2Ppm, runner.Current.TvocPpb));
        var gaps = sensor.Measured.Zip(sensor.Measured.Skip(1), (a, b) => TimeSpan.FromTicks(b - a)).ToList();
        Assert.True(gaps.Count >= 58);
        Assert.All(gaps, gap => Assert.Equal(TimeSpan.FromSeconds(1), gap));
        Assert.Equal(1, sensor.Initialisations);
        Assert.Empty(sensor.Violations);
        await stopAsync();
    }

    [Fact]
    public async Task A_garbled_answer_costs_that_second_alone()
    {
        var (runner, stopAsync) = await RunForAsync(TimeSpan.FromSeconds(20));
        sensor.Garbled = 2;
        await stand.PassAsync(TimeSpan.FromSeconds(5));

        Assert.Equal((1, 2L), (sensor.Initialisations, runner.Status.Errors));
        Assert.Equal(SensorState.Working, runner.Status.State);
        await stopAsync();
    }

    [Fact]
    public async Task An_outage_of_the_sensor_does_not_cost_what_it_has_learned()
    {
        var (_, stopAsync) = await RunForAsync(TimeSpan.FromSeconds(30));
        // In one leap: ticks that were missed are not caught up with.
        stand.Clock.Advance(TimeSpan.FromMinutes(70));
        await stand.PassAsync(TimeSpan.FromSeconds(5));
        sensor.Unplugged = true;
        await stand.PassAsync(TimeSpan.FromSeconds(20));
        sensor.Unplugged = false;
        await stand.PassAsync(TimeSpan.FromSeconds(40));

        Assert.Equal(1, sensor.Initialisations);
        await stopAsync();
    }

    [Fact]
    public async Task Takes_the_humidity_of_another_sensor_and_switches_the_compensation_off_when_that_is_gone()
    {
        air = (25, 50);
        var (_, stopAsync) = await RunForAsync(TimeSpan.FromSeconds(30));
        Assert.Equal((ushort)0x0B7C, sensor.Humidity);
        air = (23.5, 41);
        await stand.PassAsync(TimeSpan.FromMinutes(1));
        Assert.Equal((ushort)0x08A7, sensor.Humidity);
        air = null;
        await stand.PassAsync(TimeSpan.FromMinutes(1));
        Assert.Equal((ushort)0, sensor.Humidity);
        await stopAsync();
    }

    [Fact]
    public async Task Keeps_its_baseline_every_hour_once_it_has_learned_for_12_hours_and_gets_it_back_in_the_right_order()
    {
        var driver = new Sgp30(stand.Link("sgp30", 0x58), Baselines, () => null, stand.Now);
        Assert.Null(await stand.RunAsync(driver.StartAsync(default)));
        await PassAsync(driver, TimeSpan.FromHours(11.9));
        Assert.Null(Baselines.Load(0x00AB1234));
        await PassAsync(driver, TimeSpan.FromHours(0.2));
        Assert.Equal((0x8973, 0x8AAE), (Baselines.Load(0x00AB1234)!.EquivalentCo2, Baselines.Load(0x00AB1234)!.Tvoc));
        sensor.PowerDip();
        stand.Clock.Advance(TimeSpan.FromDays(6));

        driver = new Sgp30(stand.Link("sgp30", 0x58), Baselines, () => null, stand.Now);
        Assert.Null(await stand.RunAsync(driver.StartAsync(default)));
        await PassAsync(driver, TimeSpan.FromMinutes(62));

        Assert.Equal([0x8AAE, 0x8973], Assert.Single(sensor.WrittenBaselines));
        // With a baseline, an hour is enough before it is kept again.
        Assert.True(stand.Clock.GetUtcNow() - Baselines.Load(0x00AB1234)!.At.Utc < TimeSpan.FromMinutes(5));
        Assert.Empty(sensor.Violations);
    }

    /// <summary>Measures every minute, which is enough for what depends on the time alone.</summary>
    async Task PassAsync(Sgp30 driver, TimeSpan time)
    {
        for (var left = time; left > TimeSpan.Zero; left -= TimeSpan.FromMinutes(1))
        {
            stand.Clock.Advance(TimeSpan.FromMinutes(1));
            Assert.Null((await stand.RunAsync(driver.MeasureAsync(default))).Error);
        }
    }

    [Theory]
    [InlineData(7 * 24 + 1, 0x1234)]
    [InlineData(-3, 0x1234)]
    [InlineData(1, 0x9999)]
    public async Task A_baseline_that_is_old_or_of_the_future_or_of_another_sensor_is_not_set(int ageHours, int serial)
    {
        Baselines.Save(
            new Sgp30Baseline(0x00AB0000UL + (ulong)serial, 1, 2, Before(stand.Clock.GetUtcNow() - TimeSpan.FromHours(ageHours)))
        );

        var (_, stopAsync) = await RunForAsync(TimeSpan.FromSeconds(20));

        Assert.Empty(sensor.WrittenBaselines);
        await stopAsync();
    }

    /// <summary>Read before the machine was started.</summary>
    static Moment Before(DateTimeOffset utc) => new(utc, "boot-0", TimeSpan.FromHours(100));

    [Fact]
    public async Task A_baseline_waits_for_the_clock_and_is_set_as_soon_as_its_age_is_known()
    {
        var saved = stand.Clock.GetUtcNow();
        Baselines.Save(new Sgp30Baseline(0x00AB1234, 0x1111, 0x2222, Before(saved)));
        // The Pi starts with a clock a year in the past: by that the baseline would be of the future.
        stand.IsClockWrong = true;
        stand.Clock.Step(TimeSpan.FromDays(-365));
        var (_, stopAsync) = await RunForAsync(TimeSpan.FromSeconds(40));
        Assert.Empty(sensor.WrittenBaselines);

        stand.Clock.Step(TimeSpan.FromDays(366));
        stand.IsClockWrong = false;
        await stand.PassAsync(TimeSpan.FromSeconds(3));

        // Right behind another initialisation, as the data sheet wants it.
        Assert.Equal([0x2222, 0x1111], Assert.Single(sensor.WrittenBaselines));
        Assert.Equal(2, sensor.Initialisations);
        Assert.Empty(sensor.Violations);
        await stopAsync();
    }

    [Fact]
    public async Task A_baseline_that_turns_out_to_be_old_when_the_clock_is_right_is_not_set()
    {
        Baselines.Save(new Sgp30Baseline(0x00AB1234, 0x1111, 0x2222, Before(stand.Clock.GetUtcNow())));
        // By the wrong clock it is an hour old.
        stand.IsClockWrong = true;
        stand.Clock.Step(TimeSpan.FromHours(1));
        var (_, stopAsync) = await RunForAsync(TimeSpan.FromSeconds(40));

        stand.Clock.Step(TimeSpan.FromDays(30));
        stand.IsClockWrong = false;
        await stand.PassAsync(TimeSpan.FromSeconds(30));

        Assert.Empty(sensor.WrittenBaselines);
        await stopAsync();
    }

    [Theory]
    [InlineData("boot-1", 1)]
    [InlineData("boot-2", 0)]
    public async Task Without_a_right_clock_the_age_is_known_within_one_start_of_the_machine(string bootId, int written)
    {
        stand.IsClockWrong = true;
        Baselines.Save(new Sgp30Baseline(0x00AB1234, 0x1111, 0x2222, stand.Now()));
        stand.Clock.Step(TimeSpan.FromDays(-400));
        stand.BootId = bootId;

        var (_, stopAsync) = await RunForAsync(TimeSpan.FromSeconds(20));

        Assert.Equal(written, sensor.WrittenBaselines.Count);
        await stopAsync();
    }

    [Fact]
    public async Task A_clock_that_comes_after_the_sensor_has_a_baseline_of_its_own_changes_nothing()
    {
        Baselines.Save(new Sgp30Baseline(0x00AB1234, 0x1111, 0x2222, Before(stand.Clock.GetUtcNow())));
        stand.IsClockWrong = true;
        var driver = new Sgp30(stand.Link("sgp30", 0x58), Baselines, () => null, stand.Now);
        Assert.Null(await stand.RunAsync(driver.StartAsync(default)));
        await PassAsync(driver, TimeSpan.FromMinutes(66));
        stand.IsClockWrong = false;
        await PassAsync(driver, TimeSpan.FromMinutes(5));

        Assert.Empty(sensor.WrittenBaselines);
    }

    [Fact]
    public async Task A_reset_shows_and_is_answered_by_an_initialisation()
    {
        Baselines.Save(new Sgp30Baseline(0x00AB1234, 0x1111, 0x2222, Before(stand.Clock.GetUtcNow())));
        var (runner, stopAsync) = await RunForAsync(TimeSpan.FromSeconds(30));
        sensor.PowerDip();
        await stand.PassAsync(TimeSpan.FromSeconds(80));

        Assert.Equal(2, sensor.Initialisations);
        Assert.Equal(2, sensor.WrittenBaselines.Count);
        await stand.PassAsync(TimeSpan.FromSeconds(15));
        Assert.Equal(512, runner.Current!.EquivalentCo2Ppm);
        await stopAsync();
    }

    [Fact]
    public async Task Clean_air_is_a_value_and_neither_stuck_nor_a_reset()
    {
        sensor.Air = [400, 0];
        var (runner, stopAsync) = await RunForAsync(TimeSpan.FromMinutes(20));

        Assert.Equal((400.0, 0.0, Quality.None), (runner.Current!.EquivalentCo2Ppm, runner.Current.TvocPpb, runner.Current.Quality));
        Assert.Equal(1, sensor.Initialisations);
        await stopAsync();
    }

    [Fact]
    public async Task A_saturated_sensor_delivers_no_value()
    {
        sensor.Air = [60_000, 60_000];
        var (runner, stopAsync) = await RunForAsync(TimeSpan.FromSeconds(20));

        Assert.Null(runner.Current);
        Assert.Contains("saturated", runner.Status.Problem, StringComparison.Ordinal);
        await stopAsync();
    }

    [Fact]
    public async Task Saturated_it_keeps_its_cadence_and_after_10_minutes_begins_without_its_baseline()
    {
        Baselines.Save(new Sgp30Baseline(0x00AB1234, 0x1111, 0x2222, Before(stand.Clock.GetUtcNow())));
        var (runner, stopAsync) = await RunForAsync(TimeSpan.FromSeconds(20));
        sensor.Air = [60_000, 1_000];
        await stand.PassAsync(TimeSpan.FromMinutes(9));

        Assert.Equal((SensorState.Failing, 1), (runner.Status.State, sensor.Initialisations));
        Assert.True(runner.Status.Errors > 500);
        Assert.Single(stand.Lines, line => line.Contains("fails", StringComparison.Ordinal));
        await stand.PassAsync(TimeSpan.FromMinutes(2));
        Assert.Equal(2, sensor.Initialisations);
        Assert.Single(sensor.WrittenBaselines);
        Assert.Equal(SensorState.Failing, runner.Status.State);
        sensor.Air = [512, 37];
        await stand.PassAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(SensorState.Working, runner.Status.State);
        var gaps = sensor.Measured.Zip(sensor.Measured.Skip(1), (a, b) => TimeSpan.FromTicks(b - a)).ToList();
        Assert.All(gaps, gap => Assert.Equal(TimeSpan.FromSeconds(1), gap));
        await stopAsync();
    }

    [Fact]
    public async Task Saturated_it_does_not_keep_its_baseline()
    {
        var before = stand.Clock.GetUtcNow();
        Baselines.Save(new Sgp30Baseline(0x00AB1234, 0x1111, 0x2222, Before(before)));
        var driver = new Sgp30(stand.Link("sgp30", 0x58), Baselines, () => null, stand.Now);
        Assert.Null(await stand.RunAsync(driver.StartAsync(default)));
        await PassAsync(driver, TimeSpan.FromMinutes(58));
        sensor.Air = [60_000, 60_000];
        for (var minute = 0; minute < 5; minute++)
        {
            stand.Clock.Advance(TimeSpan.FromMinutes(1));
            Assert.Equal(SensorErrorKind.Implausible, (await stand.RunAsync(driver.MeasureAsync(default))).Error!.Kind);
        }
        Assert.Equal(before, Baselines.Load(0x00AB1234)!.At.Utc);

        sensor.Air = [512, 37];
        await PassAsync(driver, TimeSpan.FromMinutes(1));

        Assert.True(Baselines.Load(0x00AB1234)!.At.Utc > before);
    }

    [Fact]
    public async Task Within_its_first_hour_neither_errors_nor_clean_air_make_it_begin_again()
    {
        var (runner, stopAsync) = await RunForAsync(TimeSpan.FromSeconds(30));
        // So many that it is started again.
        sensor.Garbled = 3;
        await stand.PassAsync(TimeSpan.FromSeconds(20));
        Assert.Equal((SensorState.Working, 3L), (runner.Status.State, runner.Status.Errors));
        sensor.Air = [400, 0];
        await stand.PassAsync(TimeSpan.FromMinutes(5));

        Assert.Equal(1, sensor.Initialisations);
        Assert.Equal(400, runner.Current!.EquivalentCo2Ppm);
        await stopAsync();
    }

    [Fact]
    public async Task A_longer_outage_within_its_first_hour_is_answered_by_an_initialisation()
    {
        var (runner, stopAsync) = await RunForAsync(TimeSpan.FromSeconds(30));
        sensor.Unplugged = true;
        sensor.PowerDip();
        await stand.PassAsync(TimeSpan.FromSeconds(20));
        sensor.Unplugged = false;
        await stand.PassAsync(TimeSpan.FromSeconds(50));

        Assert.Equal((2, 512.0), (sensor.Initialisations, runner.Current!.EquivalentCo2Ppm));
        await stopAsync();
    }

    [Theory]
    [InlineData(true, 2)]
    [InlineData(false, 70)]
    public async Task A_reset_in_clean_air_shows_as_well(bool hasBaseline, int minutes)
    {
        if (hasBaseline)
            Baselines.Save(new Sgp30Baseline(0x00AB1234, 0x1111, 0x2222, Before(stand.Clock.GetUtcNow())));
        sensor.Air = [400, 0];
        var driver = new Sgp30(stand.Link("sgp30", 0x58), Baselines, () => null, stand.Now);
        Assert.Null(await stand.RunAsync(driver.StartAsync(default)));
        await PassAsync(driver, TimeSpan.FromMinutes(minutes));
        sensor.PowerDip();

        stand.Clock.Advance(TimeSpan.FromMinutes(1));
        var outcome = await stand.RunAsync(driver.MeasureAsync(default));

        Assert.Contains("it was reset", outcome.Error!.Text, StringComparison.Ordinal);
        Assert.Equal(2, sensor.Initialisations);
    }

    [Fact]
    public async Task Another_device_at_its_address_is_not_initialised()
    {
        sensor.FeatureSet = 0x1022;
        var (runner, stopAsync) = await RunForAsync(TimeSpan.FromSeconds(5));

        Assert.Equal((SensorState.Missing, 0), (runner.Status.State, sensor.Initialisations));
        await stopAsync();
    }

    [Fact]
    public void A_baseline_reads_back_from_its_line()
    {
        var baseline = new Sgp30Baseline(
            0xAB1234,
            0x8973,
            0x8AAE,
            new(new(2026, 11, 20, 10, 0, 0, TimeSpan.Zero), "b00t", TimeSpan.FromSeconds(77))
        );
        var undated = baseline with { At = baseline.At with { Utc = null } };

        Assert.Equal(baseline, Sgp30Baseline.Parse(baseline.ToString()));
        Assert.Equal(undated, Sgp30Baseline.Parse(undated.ToString()));
        // As versions before this one wrote it.
        Assert.Equal(
            baseline with
            {
                At = new(baseline.At.Utc, "", TimeSpan.Zero),
            },
            Sgp30Baseline.Parse("sgp30 serial=000000AB1234 eco2=8973 tvoc=8AAE at=1795168800")
        );
        Assert.Null(Sgp30Baseline.Parse("sgp30 serial=1 eco2=xyz tvoc=1 at=1"));
        Assert.Null(Sgp30Baseline.Parse(""));
    }
}
