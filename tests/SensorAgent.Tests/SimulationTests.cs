using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent.Tests;

public sealed class SimulationTests
{
    static readonly DateTimeOffset Midnight = new(2026, 11, 20, 0, 0, 0, TimeSpan.Zero);

    static List<ThermalReading> Run(int seed, int count, TimeSpan step)
    {
        var environment = new SimulatedEnvironment(seed);
        var readings = new List<ThermalReading>(count);
        for (var i = 0; i < count; i++)
        {
            var reading = new ThermalReading();
            environment.AddTo(reading, Midnight + i * step, step);
            readings.Add(reading);
        }
        return readings;
    }

    [Fact]
    public void The_same_seed_and_clock_give_the_same_values_and_another_seed_others()
    {
        var step = TimeSpan.FromMilliseconds(500);

        Assert.Equal(Run(7, 2_000, step), Run(7, 2_000, step));
        Assert.NotEqual(Run(7, 2_000, step), Run(8, 2_000, step));
    }

    [Fact]
    public void Values_stay_in_the_sensors_ranges_and_look_like_a_room()
    {
        var readings = Run(1, 3 * 24 * 60 * 6, TimeSpan.FromSeconds(10));

        Assert.All(readings.Where(reading => reading.HasTemperatureC), reading =>
        {
            Assert.InRange(reading.TemperatureC, 10, 35);
            Assert.InRange(reading.HumidityPercent, 0, 100);
            Assert.InRange(reading.Co2Ppm, 390, 3_000);
        });
        Assert.All(readings.Where(reading => reading.HasPressurePa), reading =>
        {
            Assert.InRange(reading.PressurePa, 95_000, 107_000);
            Assert.InRange(reading.IcpTemperatureF, 50, 100);
        });
        Assert.All(readings.Where(reading => reading.HasTvocPpb), reading =>
        {
            Assert.InRange(reading.EquivalentCo2Ppm, 400, 60_000);
            Assert.InRange(reading.TvocPpb, 0, 60_000);
        });
    }

    [Fact]
    public void Days_have_their_curve()
    {
        var readings = Run(2, 4 * 24 * 60, TimeSpan.FromMinutes(1));

        double Mean(int hour, Func<ThermalReading, double> value) => readings.Where((reading, minute) => minute / 60 % 24 == hour && reading.HasCo2Ppm).Average(value);
        Assert.True(Mean(13, reading => reading.Co2Ppm) > Mean(3, reading => reading.Co2Ppm) + 200);
        Assert.True(Mean(15, reading => reading.TemperatureC) > Mean(3, reading => reading.TemperatureC) + 2);
    }

    [Fact]
    public void Noise_remembers_and_does_not_depend_on_the_step()
    {
        var readings = Run(3, 5_000, TimeSpan.FromSeconds(5)).Where(reading => reading.HasTemperatureC).Select(reading => reading.TemperatureC).ToList();
        var steps = readings.Zip(readings.Skip(1), (a, b) => Math.Abs(b - a)).ToList();

        // Neighbours differ by far less than the values as a whole, and yet they differ.
        Assert.True(steps.Average() < 0.1, $"{steps.Average()}");
        Assert.True(steps.Count(step => step == 0) < steps.Count / 100);

        var coarse = new Noise(new Random(5), 1, TimeSpan.FromSeconds(10));
        var values = Enumerable.Range(0, 20_000).Select(_ => coarse.Next(TimeSpan.FromSeconds(60))).ToList();
        Assert.InRange(values.Average(), -0.05, 0.05);
        Assert.InRange(values.Average(value => value * value), 0.95, 1.05);
    }

    [Fact]
    public void Sensors_fail_now_and_then_for_a_while_and_then_deliver_nothing_at_all()
    {
        var readings = Run(4, 3 * 24 * 3600, TimeSpan.FromSeconds(1));

        Assert.All(readings, reading =>
        {
            Assert.Equal(reading.HasTemperatureC, reading.HasHumidityPercent);
            Assert.Equal(reading.HasTemperatureC, reading.HasCo2Ppm);
            Assert.Equal(reading.HasPressurePa, reading.HasIcpTemperatureF);
            Assert.Equal(reading.HasTvocPpb, reading.HasEquivalentCo2Ppm);
        });
        var missing = readings.Count(reading => !reading.HasPressurePa) / (double)readings.Count;
        Assert.InRange(missing, 0.001, 0.02);
        var longest = 0;
        var run = 0;
        foreach (var reading in readings)
        {
            run = reading.HasPressurePa ? 0 : run + 1;
            longest = Math.Max(longest, run);
        }
        Assert.InRange(longest, 10, 600);
    }

    [Fact]
    public void A_sensor_measures_at_its_own_pace()
    {
        var readings = Run(6, 40, TimeSpan.FromMilliseconds(500));

        Assert.InRange(readings.Where(reading => reading.HasTemperatureC).Select(reading => reading.TemperatureC).Distinct().Count(), 3, 5);
        Assert.InRange(readings.Where(reading => reading.HasPressurePa).Select(reading => reading.PressurePa).Distinct().Count(), 15, 21);
    }
}
