using Iot.Device.Bmxx80;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Sensors.Tests;

/// <summary>
/// Iot.Device.Bindings as a second opinion: its drivers were written by others from the same data sheets. Where both read the same raw
/// values, they must agree. Why they do not take the place of ours is in decision 23, and what it says of them is tested here too, so that
/// a version that is better is noticed.
/// </summary>
public sealed class BindingsTests(ITestOutputHelper output) : IDisposable
{
    readonly SensorStand stand = new();
    readonly SimulatedBus theirs = new();

    public void Dispose()
    {
        stand.Dispose();
        theirs.Dispose();
    }

    [Fact]
    public async Task Both_make_the_same_of_what_an_sht4x_measures()
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"THERMAL_TEST_SEED={seed}");
        var (ours, other) = (new SimulatedSht4x(stand.Clock), new SimulatedSht4x(TimeProvider.System));
        stand.Bus.Attach(0x44, ours);
        theirs.Attach(0x44, other);
        var driver = new Sht4x(stand.Link("sht4x", 0x44));
        Assert.Null(await stand.RunAsync(driver.StartAsync(default)));
        using var binding = new Iot.Device.Sht4x.Sht4x(new PatientDevice(theirs.CreateDevice(0x44)));

        for (var i = 0; i < 50; i++)
        {
            // What the sensor can measure: ours refuses everything else.
            ours.Sample = other.Sample = [(ushort)random.Next(0x0800, 0xF800), (ushort)random.Next(0x0C49, 0xD917)];
            var measured = (await stand.RunAsync(driver.MeasureAsync(default))).Value!;
            var (humidity, temperature) = binding.ReadHumidityAndTemperature();

            Assert.Equal(temperature!.Value.DegreesCelsius, measured.TemperatureC!.Value, 6);
            Assert.Equal(humidity!.Value.Percent, measured.HumidityPercent!.Value, 6);
        }
    }

    [Fact]
    public async Task Both_make_the_same_of_what_a_bme280_measures()
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"THERMAL_TEST_SEED={seed}");
        var (ours, other) = (new SimulatedBmx280(stand.Clock), new SimulatedBmx280(TimeProvider.System));
        stand.Bus.Attach(0x76, ours);
        theirs.Attach(0x76, other);
        var driver = new Bmx280(stand.Link("bmx280", 0x76));
        Assert.Null(await stand.RunAsync(driver.StartAsync(default)));
        using var binding = new Bme280(new PatientDevice(theirs.CreateDevice(0x76)));

        for (var i = 0; i < 20; i++)
        {
            ours.Temperature = other.Temperature = random.Next(480_000, 560_000);
            ours.Pressure = other.Pressure = random.Next(380_000, 450_000);
            ours.Humidity = other.Humidity = random.Next(22_000, 36_000);
            var measured = (await stand.RunAsync(driver.MeasureAsync(default))).Value!;
            var read = await binding.ReadAsync();

            Assert.Equal(read.Temperature!.Value.DegreesCelsius, measured.TemperatureC!.Value, 0.01);
            Assert.Equal(read.Pressure!.Value.Pascals, measured.PressurePa!.Value, 1.0);
            Assert.Equal(read.Humidity!.Value.Percent, measured.HumidityPercent!.Value, 0.1);
        }
    }

    /// <summary>When this fails, the binding has become better: see decision 23.</summary>
    [Fact]
    public void The_binding_of_the_sht4x_cannot_be_made_while_a_measurement_runs() =>
        AssertThrows(() =>
        {
            var device = new SimulatedSht4x(TimeProvider.System);
            theirs.Attach(0x44, device);
            device.Begin();
            return new Iot.Device.Sht4x.Sht4x(theirs.CreateDevice(0x44));
        });

    /// <summary>When this fails, the binding has become better: see decision 23.</summary>
    [Fact]
    public void The_binding_of_the_bme280_does_not_wait_until_the_chip_has_reset() =>
        AssertThrows(() =>
        {
            theirs.Attach(0x76, new SimulatedBmx280(TimeProvider.System));
            return new Bme280(theirs.CreateDevice(0x76));
        });

    /// <summary>Real milliseconds pass in the device, and a busy machine may let them pass before the binding asks; hardly ever twenty
    /// times.</summary>
    static void AssertThrows(Func<IDisposable> make)
    {
        for (var attempt = 1; attempt < 20; attempt++)
        {
            try
            {
                make().Dispose();
            }
            catch (IOException)
            {
                return;
            }
        }
        Assert.Throws<IOException>(make);
    }
}
