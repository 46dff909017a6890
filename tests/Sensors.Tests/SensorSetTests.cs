namespace ThermalStreaming.Sensors.Tests;

/// <summary>All sensors on one bus together.</summary>
public sealed class SensorSetTests : IDisposable
{
    /// <summary>Each sensor's task waits for a timer of its own, and one looks for thermometers.</summary>
    const int Tasks = 10;

    readonly SensorStand stand = new();
    readonly SimulatedScd4x scd4x;
    readonly SimulatedIcp10125 icp10125;
    readonly SimulatedSgp30 sgp30;
    readonly SimulatedBme68x bme680;
    readonly SensorSet set;
    readonly CancellationTokenSource stop = new();
    readonly Task running;

    public SensorSetTests()
    {
        stand.Bus.Attach(0x62, scd4x = new(stand.Clock));
        stand.Bus.Attach(0x63, icp10125 = new(stand.Clock));
        stand.Bus.Attach(0x58, sgp30 = new(stand.Clock));
        stand.Bus.Attach(0x76, bme680 = new(stand.Clock));
        set = new SensorSet(
            new() { Directory = stand.Data.Path, OneWireDirectory = stand.Data.File("w1") },
            number => number == 1 ? stand.Bus.Open() : throw new InvalidOperationException(),
            stand.Now,
            stand.Clock,
            stand.Logger
        );
        running = set.RunAsync(stop.Token);
    }

    public void Dispose()
    {
        stop.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => running.GetAwaiter().GetResult());
        set.Dispose();
        stop.Dispose();
        stand.Dispose();
    }

    [Fact]
    public async Task They_feed_each_other_and_none_disturbs_the_sgp30s_second()
    {
        await stand.PassAsync(TimeSpan.FromSeconds(90), Tasks);
        scd4x.PowerDip();
        await stand.PassAsync(TimeSpan.FromSeconds(90), Tasks);

        // Pressure from the barometer in hPa, humidity from the air sensor.
        Assert.Equal((ushort)1013, scd4x.Pressure);
        Assert.Equal(AbsoluteHumidity.Word(AbsoluteHumidity.Of(25.0027, 37.0016)), sgp30.Humidity);
        var gaps = sgp30.Measured.Zip(sgp30.Measured.Skip(1), (a, b) => TimeSpan.FromTicks(b - a)).ToList();
        Assert.True(gaps.Count > 170);
        Assert.All(gaps, gap => Assert.InRange(gap.TotalMilliseconds, 990, 1010));
        var current = set.Current;
        Assert.Equal((500.0, "scd4x@1:62"), (current.Co2!.Co2Ppm, current.Temperature!.Sensor));
        Assert.Equal(("icp10125@1:63", "icp10125@1:63"), (current.Pressure!.Sensor, current.Barometer!.Sensor));
        Assert.Equal(512, current.Gas!.EquivalentCo2Ppm);
        Assert.All<SimulatedDevice>([scd4x, icp10125, sgp30, bme680], device => Assert.Empty(device.Violations));
        Assert.Equal(
            ["scd4x@1:62", "icp10125@1:63", "sgp30@1:58", "bme68x@1:76"],
            set.Sensors.Where(sensor => sensor.State == SensorState.Working).Select(sensor => sensor.Id)
        );
        Assert.Equal(
            ["sht4x@1:44", "sht4x@1:45", "bmx280@1:76", "bmx280@1:77", "bme68x@1:77"],
            set.Sensors.Where(sensor => sensor.State == SensorState.Missing).Select(sensor => sensor.Id)
        );
    }

    [Fact]
    public async Task Another_sensor_stands_in_for_one_that_is_gone()
    {
        (scd4x.Unplugged, icp10125.Unplugged) = (true, true);
        await stand.PassAsync(TimeSpan.FromSeconds(20), Tasks);

        var current = set.Current;

        Assert.Equal(("bme68x@1:76", "bme68x@1:76"), (current.Temperature!.Sensor, current.Pressure!.Sensor));
        Assert.Null(current.Co2);
        Assert.Null(current.Barometer);
    }

    [Fact]
    public async Task A_stuck_bus_is_one_line_and_every_value_goes()
    {
        await stand.PassAsync(TimeSpan.FromSeconds(30), Tasks);
        var lines = stand.Lines.Count;
        stand.Bus.IsStuck = true;
        await stand.PassAsync(TimeSpan.FromSeconds(60), Tasks);

        Assert.Single(stand.Lines.Skip(lines));
        Assert.Equal(default, set.Current);
        Assert.Single(set.BusProblems);
        stand.Bus.IsStuck = false;
        await stand.PassAsync(TimeSpan.FromSeconds(60), Tasks);
        Assert.NotNull(set.Current.Co2);
        Assert.NotNull(set.Current.Gas);
        Assert.Empty(set.BusProblems);
    }

    [Fact]
    public async Task A_device_that_hangs_costs_its_own_values_alone_and_is_said_once()
    {
        await stand.PassAsync(TimeSpan.FromSeconds(30), Tasks);
        var lines = stand.Lines.Count;
        sgp30.Error = 110;
        await stand.PassAsync(TimeSpan.FromMinutes(3), Tasks);

        Assert.Contains("sgp30@1:58 fails: ", Assert.Single(stand.Lines.Skip(lines)), StringComparison.Ordinal);
        var current = set.Current;
        Assert.Equal(500, current.Co2!.Co2Ppm);
        Assert.NotNull(current.Barometer);
        Assert.Null(current.Gas);
        Assert.Empty(set.BusProblems);
        Assert.Single(scd4x.Commands, "3f86");
    }

    [Fact]
    public async Task A_bus_that_fails_for_seconds_restarts_no_sensor()
    {
        await stand.PassAsync(TimeSpan.FromSeconds(30), Tasks);
        stand.Bus.IsStuck = true;
        await stand.PassAsync(TimeSpan.FromSeconds(6), Tasks);
        Assert.Equal(SensorState.NoBus, set.Sensors[0].State);
        stand.Bus.IsStuck = false;
        await stand.PassAsync(TimeSpan.FromSeconds(9), Tasks);

        Assert.Equal((500.0, 512.0), (set.Current.Co2?.Co2Ppm, set.Current.Gas?.EquivalentCo2Ppm));
        Assert.Single(scd4x.Commands, "3f86");
        Assert.Equal(1, sgp30.Initialisations);
        Assert.Single(sgp30.Commands, "202f");
    }

    [Fact]
    public async Task A_transfer_that_does_not_return_shows_in_every_sensor_when_its_value_is_old()
    {
        await stand.PassAsync(TimeSpan.FromSeconds(30), Tasks);
        using var hang = new ManualResetEventSlim();
        stand.Bus.Hang = hang;
        var before = stand.Bus.Transfers;
        stand.Clock.Advance(TimeSpan.FromSeconds(3));
        while (stand.Bus.Transfers == before)
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);
        stand.Clock.Advance(TimeSpan.FromSeconds(20));

        Assert.Equal(
            [.. Enumerable.Repeat(SensorState.NoBus, 4), .. Enumerable.Repeat(SensorState.Missing, 5)],
            set.Sensors.Select(sensor => sensor.State).Order().Reverse()
        );
        Assert.Contains("has not finished a transfer", set.Sensors[0].Problem, StringComparison.Ordinal);
        Assert.Single(set.BusProblems);
        hang.Set();
    }

    [Fact]
    public async Task The_sgp30_gets_current_air_before_the_air_of_minutes_ago()
    {
        await stand.PassAsync(TimeSpan.FromSeconds(30), Tasks);
        scd4x.Unplugged = true;
        await stand.PassAsync(TimeSpan.FromMinutes(3), Tasks);
        Assert.Equal(AbsoluteHumidity.Word(AbsoluteHumidity.Of(26.6931, 42.4097)), sgp30.Humidity);

        bme680.Unplugged = true;
        await stand.PassAsync(TimeSpan.FromMinutes(3), Tasks);
        Assert.Equal(AbsoluteHumidity.Word(AbsoluteHumidity.Of(25.0027, 37.0016)), sgp30.Humidity);
    }

    [Fact]
    public async Task Each_value_comes_from_the_best_sensor_that_delivers_it()
    {
        var (sht, bmp) = (new SimulatedSht4x(stand.Clock), new SimulatedBmx280(stand.Clock, hasHumidity: false));
        stand.Bus.Attach(0x44, sht);
        stand.Bus.Attach(0x77, bmp);
        await stand.PassAsync(TimeSpan.FromSeconds(90), Tasks);
        Assert.Equal(("scd4x@1:62", "icp10125@1:63"), (set.Current.Humidity!.Sensor, set.Current.Pressure!.Sensor));

        (scd4x.Unplugged, icp10125.Unplugged) = (true, true);
        await stand.PassAsync(TimeSpan.FromSeconds(20), Tasks);
        Assert.Equal(("sht4x@1:44", "sht4x@1:44"), (set.Current.Temperature!.Sensor, set.Current.Humidity!.Sensor));
        Assert.Equal("bmx280@1:77", set.Current.Pressure!.Sensor);

        sht.Unplugged = true;
        await stand.PassAsync(TimeSpan.FromSeconds(20), Tasks);
        // A BMP280 has no humidity, so that comes from another one.
        Assert.Equal(("bmx280@1:77", "bme68x@1:76"), (set.Current.Temperature!.Sensor, set.Current.Humidity!.Sensor));
        Assert.All<SimulatedDevice>([sht, bmp, bme680], device => Assert.Empty(device.Violations));
    }

    [Fact]
    public async Task A_thermometer_on_a_cable_is_found_while_it_runs_and_never_stands_in_for_a_sensor_of_the_room()
    {
        await stand.PassAsync(TimeSpan.FromSeconds(30), Tasks);
        var device = Path.Combine(stand.Data.File("w1"), "28-0316a2794aff");
        Directory.CreateDirectory(device);
        const string bytes = "72 01 4b 46 7f ff 0e 10 57";
        await File.WriteAllTextAsync(Path.Combine(device, "w1_slave"), $"{bytes} : crc=57 YES\n{bytes} t=23125\n");
        await stand.PassAsync(TimeSpan.FromSeconds(60), Tasks);
        await stand.PassAsync(TimeSpan.FromSeconds(20), Tasks + 1);

        (scd4x.Unplugged, bme680.Unplugged) = (true, true);
        await stand.PassAsync(TimeSpan.FromSeconds(30), Tasks + 1);

        Assert.Equal(("ds18b20@w1:28-0316a2794aff", SensorState.Working), (set.Sensors[^1].Id, set.Sensors[^1].State));
        Assert.Equal(23.125, set.Sensors[^1].Current!.TemperatureC);
        Assert.Null(set.Current.Temperature);
    }
}
