namespace ThermalStreaming.Sensors.Tests;

public sealed class Scd4xCalibrationTests : IDisposable
{
    readonly SensorStand stand = new();
    readonly SimulatedScd4x sensor;

    public Scd4xCalibrationTests()
    {
        sensor = new SimulatedScd4x(stand.Clock) { Sample = [530, 0x6667, 0x5EB9] };
        stand.Bus.Attach(0x62, sensor);
    }

    public void Dispose() => stand.Dispose();

    Task<Outcome<int>> RunAsync(List<Measurement> shown, int number = 1) =>
        stand.RunAsync(
            Scd4xCalibration.RunAsync(
                new() { Buses = [1, 3] },
                asked => asked == number ? stand.Bus.Open() : new SimulatedBus().Open(),
                480,
                TimeSpan.FromMinutes(3),
                shown.Add,
                stand.Clock,
                stand.Logger,
                default
            )
        );

    [Fact]
    public async Task Measures_for_3_minutes_under_the_barometers_pressure_recalibrates_and_goes_on()
    {
        stand.Bus.Attach(0x63, new SimulatedIcp10125(stand.Clock));
        List<Measurement> shown = [];

        var result = await RunAsync(shown);

        Assert.Equal((null, -50), (result.Error, result.Value));
        Assert.InRange(shown.Count, 34, 37);
        Assert.Equal((ushort)1013, sensor.Pressure);
        Assert.True(sensor.IsMeasuring);
        Assert.Empty(sensor.Violations);
    }

    [Fact]
    public async Task Without_a_sensor_it_says_so()
    {
        sensor.Unplugged = true;

        Assert.Equal(SensorErrorKind.NotAcknowledged, (await RunAsync([])).Error!.Kind);
    }

    [Theory]
    [InlineData(0x76, 1)]
    [InlineData(0x77, 1)]
    [InlineData(0x77, 3)]
    public async Task Is_found_on_each_bus_and_gets_the_pressure_of_either_bme68x(int address, int number)
    {
        stand.Bus.Attach(address, new SimulatedBme68x(stand.Clock, isHigh: false));

        var result = await RunAsync([], number);

        Assert.Equal((null, -50), (result.Error, result.Value));
        Assert.Equal((ushort)987, sensor.Pressure);
        Assert.Empty(sensor.Violations);
    }

    [Fact]
    public async Task Without_a_current_value_it_is_refused_and_nothing_is_changed()
    {
        sensor.Sample = [0, 0x6667, 0x5EB9];

        var result = await RunAsync([]);

        Assert.Equal(SensorErrorKind.Refused, result.Error!.Kind);
        Assert.DoesNotContain(sensor.Commands, command => command.StartsWith("362f", StringComparison.Ordinal));
    }
}
