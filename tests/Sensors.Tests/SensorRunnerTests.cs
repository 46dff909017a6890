namespace ThermalStreaming.Sensors.Tests;

public sealed class SensorRunnerTests : IDisposable
{
    readonly SensorStand stand = new();
    readonly SimulatedIcp10125 sensor;
    readonly CancellationTokenSource stop = new();
    readonly SensorRunner runner;
    readonly Task running;

    public SensorRunnerTests()
    {
        sensor = new SimulatedIcp10125(stand.Clock) { Unplugged = true };
        stand.Bus.Attach(0x63, sensor);
        runner = stand.Runner(new Icp10125(stand.Link("icp10125", 0x63), IcpMode.LowPower), TimeSpan.FromMinutes(2));
        running = runner.RunAsync(stop.Token);
    }

    public void Dispose()
    {
        stop.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => running.GetAwaiter().GetResult());
        stop.Dispose();
        stand.Dispose();
    }

    [Fact]
    public async Task A_missing_sensor_is_said_once_and_found_within_a_minute_when_it_is_plugged_in()
    {
        await stand.PassAsync(TimeSpan.FromMinutes(10));
        Assert.Contains("icp10125@1:63 was not found", Assert.Single(stand.Lines), StringComparison.Ordinal);
        Assert.Equal((SensorState.Missing, 0L), (runner.Status.State, runner.Status.Errors));
        Assert.Null(runner.Status.Newest);

        sensor.Unplugged = false;
        await stand.PassAsync(TimeSpan.FromSeconds(61));

        Assert.Equal(SensorState.Working, runner.Status.State);
        Assert.Equal("Information: icp10125@1:63 found: ICP-10125, LowPower", stand.Lines[^1]);
    }

    [Fact]
    public async Task A_sensor_that_vanishes_gives_no_old_value_and_is_tried_every_2_to_30_s()
    {
        sensor.Unplugged = false;
        await stand.PassAsync(TimeSpan.FromSeconds(10));
        Assert.NotNull(runner.Current);
        Assert.Equal(runner.Current, runner.Status.Current);
        sensor.Unplugged = true;
        await stand.PassAsync(TimeSpan.FromSeconds(10));

        Assert.Null(runner.Current);
        Assert.Null(runner.Status.Current);
        Assert.Equal(SensorState.Failing, runner.Status.State);
        await stand.PassAsync(TimeSpan.FromMinutes(5));
        var before = stand.Bus.Transfers;
        await stand.PassAsync(TimeSpan.FromMinutes(5));
        // Each start asks twice: a sensor may still measure.
        Assert.InRange(stand.Bus.Transfers - before, 18, 22);
        Assert.Single(stand.Lines, line => line.Contains("fails", StringComparison.Ordinal));
        sensor.Unplugged = false;
        await stand.PassAsync(TimeSpan.FromSeconds(31));
        Assert.Equal("Information: icp10125@1:63 delivers again", stand.Lines[^1]);
    }

    sealed class BrokenDriver(SensorLink link) : I2cDriver(link)
    {
        public override TimeSpan Interval => TimeSpan.FromSeconds(1);

        public override async Task<SensorError?> StartAsync(CancellationToken cancellationToken)
        {
            await Link.WaitAsync(1, cancellationToken);
            return null;
        }

        public override Task<Outcome<Measurement?>> MeasureAsync(CancellationToken cancellationToken) =>
            throw new InvalidOperationException("a mistake");
    }

    [Fact]
    public async Task A_mistake_in_one_driver_ends_nothing()
    {
        using var other = new SensorStand();
        var broken = other.Runner(new BrokenDriver(other.Link("broken", 0x10)));
        using var stopOther = new CancellationTokenSource();
        var runningOther = broken.RunAsync(stopOther.Token);

        await other.PassAsync(TimeSpan.FromMinutes(1));

        Assert.Equal(SensorState.Failing, broken.Status.State);
        Assert.Contains("a mistake", broken.Status.Problem, StringComparison.Ordinal);
        Assert.True(broken.Status.Errors > 2);
        await stopOther.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => runningOther);
    }

    [Fact]
    public async Task A_value_that_never_changes_is_flagged_and_passed_on()
    {
        sensor.Unplugged = false;
        await stand.PassAsync(TimeSpan.FromMinutes(1.9));
        Assert.Equal(Quality.None, runner.Current!.Quality);
        await stand.PassAsync(TimeSpan.FromMinutes(0.2));

        Assert.Equal(Quality.Stuck, runner.Current!.Quality);
        Assert.True(runner.Status.Flagged > 0);
        Assert.Equal((runner.Status.Flagged, 0L), (runner.Status.Stuck, runner.Status.Jumps));
        sensor.Sample = [0xAF1D, 0xCF00, 0x6551];
        await stand.PassAsync(TimeSpan.FromSeconds(2));
        Assert.Equal(Quality.None, runner.Current!.Quality);
    }

    [Fact]
    public async Task A_jump_that_air_does_not_make_is_flagged_once()
    {
        sensor.Unplugged = false;
        await stand.PassAsync(TimeSpan.FromSeconds(5));
        sensor.Sample = [0xA000, 0, 0x6551];
        // The first value after the change, before the next one.
        await stand.PassAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(Quality.Jump, runner.Current!.Quality);
        await stand.PassAsync(TimeSpan.FromSeconds(2));

        Assert.Equal((Quality.None, 1L), (runner.Current!.Quality, runner.Status.Flagged));
        Assert.Equal((0L, 1L), (runner.Status.Stuck, runner.Status.Jumps));
    }

    [Fact]
    public async Task A_stuck_bus_is_the_buss_failure_and_none_of_the_sensors()
    {
        sensor.Unplugged = false;
        await stand.PassAsync(TimeSpan.FromSeconds(10));
        stand.Bus.IsStuck = true;
        await stand.PassAsync(TimeSpan.FromSeconds(60));

        Assert.Equal((SensorState.NoBus, 0L), (runner.Status.State, runner.Status.Errors));
        Assert.Null(runner.Current);
        Assert.Single(stand.Lines, line => line.Contains("stuck", StringComparison.Ordinal));
        stand.Bus.IsStuck = false;
        await stand.PassAsync(TimeSpan.FromSeconds(40));
        Assert.Equal(SensorState.Working, runner.Status.State);
    }

    [Fact]
    public async Task A_failure_that_was_told_stays_one_until_a_value_comes()
    {
        sensor.Unplugged = false;
        // Its calibration is read well, its measurements are not.
        sensor.GarbledLength = 9;
        await stand.PassAsync(TimeSpan.FromSeconds(4));
        for (var i = 0; i < 60; i++)
        {
            await stand.PassAsync(TimeSpan.FromSeconds(1));
            Assert.Equal(SensorState.Failing, runner.Status.State);
            Assert.Contains("the checksum of", runner.Status.Problem, StringComparison.Ordinal);
        }

        sensor.GarbledLength = 0;
        await stand.PassAsync(TimeSpan.FromSeconds(31));
        Assert.Equal((SensorState.Working, null), (runner.Status.State, runner.Status.Problem));
    }
}
