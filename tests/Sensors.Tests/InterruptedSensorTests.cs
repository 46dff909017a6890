namespace ThermalStreaming.Sensors.Tests;

/// <summary>Self-tests and calibrations of a sensor that measures. What commands mean and take is from the SCD4x data sheet, v1.7.</summary>
public sealed class InterruptedSensorTests : IDisposable
{
    readonly SensorStand stand = new();
    readonly SimulatedScd4x sensor;
    readonly CancellationTokenSource stop = new();
    readonly SensorRunner runner;
    readonly Task running;

    public InterruptedSensorTests()
    {
        sensor = new SimulatedScd4x(stand.Clock) { Sample = [530, 0x6667, 0x5EB9] };
        stand.Bus.Attach(0x62, sensor);
        runner = stand.Runner(new Scd4x(stand.Link("scd4x", 0x62), new Scd4xOptions(), () => null));
        running = runner.RunAsync(stop.Token);
    }

    public void Dispose()
    {
        stop.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => running.GetAwaiter().GetResult());
        stop.Dispose();
        runner.Dispose();
        stand.Dispose();
    }

    [Theory]
    [InlineData(0, null, "its self-test found no fault")]
    [InlineData(0x00C4, "its self-test found a fault (0x00C4); check its supply (205 mA in pulses), else replace it", null)]
    public async Task It_tests_itself_between_two_measurements_and_measures_on(ushort malfunction, string? error, string? found)
    {
        sensor.Malfunction = malfunction;
        await stand.PassAsync(TimeSpan.FromSeconds(20));
        var before = runner.Status.Reads;

        var outcome = await stand.RunAsync(runner.SelfTestAsync(CancellationToken.None));

        Assert.Equal((error, found), (outcome.Error?.Text, outcome.Value));
        await stand.PassAsync(TimeSpan.FromSeconds(20));
        Assert.InRange(runner.Status.Reads - before, 2, 4);
        Assert.Equal((SensorState.Working, 0L), (runner.Status.State, runner.Status.Errors));
        Assert.True(sensor.IsMeasuring);
        Assert.Empty(sensor.Violations);
    }

    [Fact]
    public async Task It_is_calibrated_once_it_has_measured_for_3_minutes_and_measures_on()
    {
        await stand.PassAsync(TimeSpan.FromSeconds(100));
        var early = await stand.RunAsync(runner.CalibrateAsync(480, CancellationToken.None));
        Assert.Contains("let it measure the same air for 3 minutes first", early.Error!.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(sensor.Commands, command => command.StartsWith("362f", StringComparison.Ordinal));
        await stand.PassAsync(TimeSpan.FromMinutes(4));

        var outcome = await stand.RunAsync(runner.CalibrateAsync(480, CancellationToken.None));

        Assert.Equal((null, -50), (outcome.Error, outcome.Value));
        await stand.PassAsync(TimeSpan.FromSeconds(20));
        Assert.Equal((SensorState.Working, 0L), (runner.Status.State, runner.Status.Errors));
        Assert.True(sensor.IsMeasuring);
        Assert.Empty(sensor.Violations);
    }

    [Fact]
    public async Task Without_a_current_value_it_is_not_calibrated()
    {
        await stand.PassAsync(TimeSpan.FromMinutes(4));
        sensor.Sample = [0, 0x6667, 0x5EB9];
        await stand.PassAsync(TimeSpan.FromMinutes(2));

        var outcome = await stand.RunAsync(runner.CalibrateAsync(480, CancellationToken.None));

        Assert.Contains("no current value", outcome.Error!.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(sensor.Commands, command => command.StartsWith("362f", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_caller_who_leaves_does_not_leave_the_sensor_idle()
    {
        await stand.PassAsync(TimeSpan.FromSeconds(20));
        using var caller = new CancellationTokenSource();
        var test = runner.SelfTestAsync(caller.Token);
        await stand.PassAsync(TimeSpan.FromSeconds(3));
        await caller.CancelAsync();

        Assert.Equal("its self-test found no fault", (await stand.RunAsync(test)).Value);
        await stand.PassAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(SensorState.Working, runner.Status.State);
    }

    [Fact]
    public async Task A_sensor_without_a_test_is_judged_by_its_newest_value_and_not_interrupted()
    {
        using var other = new SensorStand();
        var barometer = new SimulatedIcp10125(other.Clock);
        other.Bus.Attach(0x63, barometer);
        using var plain = other.Runner(new Icp10125(other.Link("icp10125", 0x63), IcpMode.LowPower));
        var measuring = plain.RunAsync(stop.Token);

        Assert.Equal("it has no current value", (await plain.SelfTestAsync(CancellationToken.None)).Error?.Text);
        await other.PassAsync(TimeSpan.FromSeconds(10));
        var transfers = other.Bus.Transfers;
        Assert.Equal("it delivers", (await plain.SelfTestAsync(CancellationToken.None)).Value);

        Assert.Equal(transfers, other.Bus.Transfers);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => measuring);
    }
}
