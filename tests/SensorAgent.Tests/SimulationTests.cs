using ThermalStreaming.Readings;
using ThermalStreaming.Sensors;

namespace ThermalStreaming.SensorAgent.Tests;

public sealed class SimulationTests
{
    static readonly TimeSpan StuckAfter = TimeSpan.FromMinutes(10);

    /// <summary>A Friday.</summary>
    static readonly DateTimeOffset Midnight = new(2026, 11, 20, 0, 0, 0, TimeSpan.Zero);

    static List<ThermalReading> Run(int seed, int count, TimeSpan step, DateTimeOffset? start = null)
    {
        var environment = new SimulatedEnvironment(seed, StuckAfter);
        return [.. Enumerable.Range(0, count).Select(i => At(environment, (start ?? Midnight) + i * step))];
    }

    static ThermalReading At(SimulatedEnvironment environment, DateTimeOffset now)
    {
        var reading = new ThermalReading();
        environment.AddTo(reading, now);
        return reading;
    }

    [Fact]
    public void The_same_seed_and_clock_give_the_same_values_and_another_seed_others()
    {
        var step = TimeSpan.FromMilliseconds(500);

        Assert.Equal(Run(7, 2_000, step), Run(7, 2_000, step));
        Assert.NotEqual(Run(7, 2_000, step), Run(8, 2_000, step));
    }

    [Fact]
    public void Neither_a_restart_nor_another_rate_nor_a_clock_that_steps_back_changes_the_day()
    {
        var day = Run(7, 24 * 60, TimeSpan.FromMinutes(1));

        // Another process that begins at noon, asks five times as often, and then looks back.
        var later = new SimulatedEnvironment(7, StuckAfter);
        for (var i = 12 * 300; i < 24 * 300; i++)
        {
            var reading = At(later, Midnight + i * TimeSpan.FromSeconds(12));
            if (i % 5 == 0)
                Assert.Equal(day[i / 5], reading);
        }
        Assert.Equal(day[600], At(later, Midnight.AddHours(10)));
    }

    [Fact]
    public void What_is_made_up_says_so()
    {
        var readings = Run(1, 24 * 60, TimeSpan.FromMinutes(1)).ToList();

        Assert.All(
            readings,
            reading =>
                Assert.Equal(reading.HasTemperatureC || reading.HasPressurePa || reading.HasTvocPpb ? "simulated" : "", reading.Sensors)
        );
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20261120)]
    [InlineData(-5)]
    public void Values_stay_in_the_sensors_ranges_and_look_like_a_room(int seed)
    {
        var readings = Run(seed, 7 * 24 * 60 * 2, TimeSpan.FromSeconds(30));

        Assert.All(
            readings.Where(reading => reading.HasTemperatureC),
            reading =>
            {
                Assert.InRange(reading.TemperatureC, 15, 29);
                Assert.InRange(reading.HumidityPercent, 20, 75);
                Assert.InRange(reading.Co2Ppm, 400, 1_600);
            }
        );
        Assert.All(
            readings.Where(reading => reading.HasPressurePa),
            reading =>
            {
                Assert.InRange(reading.PressurePa, 97_500, 105_000);
                Assert.InRange(reading.IcpTemperatureF, 58, 87);
            }
        );
        Assert.All(
            readings.Where(reading => reading.HasTvocPpb),
            reading =>
            {
                Assert.InRange(reading.EquivalentCo2Ppm, 400, 4_000);
                Assert.InRange(reading.TvocPpb, 0, 1_200);
            }
        );
    }

    [Fact]
    public void Working_days_have_their_curve_and_people_leave_more_than_the_hour_does()
    {
        // Three weeks, by hour of the day and working day or not.
        var readings = Run(2, 21 * 24 * 30, TimeSpan.FromMinutes(2));
        double Mean(int hour, bool weekend, Func<ThermalReading, double> value) =>
            readings
                .Where(
                    (reading, i) =>
                        i / 30 % 24 == hour
                        && Midnight.AddMinutes(2 * i).DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday == weekend
                        && reading.HasCo2Ppm
                        && reading.HasTvocPpb
                )
                .Average(value);

        double Co2(int hour, bool weekend) => Mean(hour, weekend, reading => reading.Co2Ppm);
        Assert.InRange(Co2(4, weekend: false), 400, 500);
        Assert.InRange(Co2(11, weekend: false), 650, 1_100);
        Assert.True(Co2(11, weekend: false) > Co2(13, weekend: false) + 40, "nobody goes to lunch");
        Assert.True(Co2(11, weekend: true) < Co2(11, weekend: false) - 150, "there is no weekend");
        double Warmth(int hour) => Mean(hour, weekend: false, reading => reading.TemperatureC);
        Assert.InRange(Warmth(15) - Warmth(4), 1.5, 6);
        double Humidity(int hour) => Mean(hour, weekend: false, reading => reading.HumidityPercent);
        Assert.True(Humidity(15) < Humidity(4) - 1, "humidity does not fall when it gets warm");
        double Tvoc(int hour) => Mean(hour, weekend: false, reading => reading.TvocPpb);
        Assert.True(Tvoc(11) > Tvoc(4) + 15);
        Assert.True(Tvoc(19) > Tvoc(21) + 20, "nobody cleans");
    }

    [Fact]
    public void The_sensors_that_feel_people_agree_and_the_barometer_wanders_slowly()
    {
        var readings = Run(3, 5 * 24 * 60, TimeSpan.FromMinutes(1))
            .Where(reading => reading is { HasCo2Ppm: true, HasTvocPpb: true })
            .ToList();
        Assert.InRange(Correlation(reading => reading.Co2Ppm, reading => Math.Min(reading.TvocPpb, 90)), 0.5, 1);

        var pressures = Run(3, 5 * 24, TimeSpan.FromHours(1)).Where(reading => reading.HasPressurePa).Select(reading => reading.PressurePa);
        var steps = pressures.Zip(pressures.Skip(1), (a, b) => Math.Abs(a - b)).ToList();
        Assert.InRange(steps.Max(), 20, 400);
        Assert.InRange(pressures.Max() - pressures.Min(), 200, 4_000);

        double Correlation(Func<ThermalReading, double> one, Func<ThermalReading, double> other)
        {
            var (a, b) = (readings.Select(one).ToList(), readings.Select(other).ToList());
            var (meanA, meanB) = (a.Average(), b.Average());
            var both = a.Zip(b, (x, y) => (x - meanA) * (y - meanB)).Average();
            return both / Math.Sqrt(a.Average(x => (x - meanA) * (x - meanA)) * b.Average(y => (y - meanB) * (y - meanB)));
        }
    }

    [Fact]
    public void Noise_is_normal_remembers_and_forgets()
    {
        var noise = new Noise(new Draws(5), 2, TimeSpan.FromSeconds(10));
        var values = Enumerable.Range(0, 200_000).Select(i => noise.At(i * TimeSpan.TicksPerSecond)).ToList();

        Assert.InRange(values.Average(), -0.06, 0.06);
        Assert.InRange(values.Average(value => value * value), 3.85, 4.15);
        double Together(int lag) => values.Zip(values.Skip(lag), (a, b) => a * b).Average() / 4;
        Assert.InRange(Together(1), 0.85, 1.04);
        Assert.InRange(Together(25), -0.06, 0.06);
        Assert.InRange(values.Zip(values.Skip(1), (a, b) => Math.Abs(b - a)).Max(), 0.5, 2.5);
    }

    [Fact]
    public void Sensors_fail_now_and_then_for_a_while_and_then_deliver_nothing_at_all()
    {
        var environment = new SimulatedEnvironment(4, StuckAfter);
        List<ThermalReading> readings = [.. Enumerable.Range(0, 3 * 24 * 3600).Select(i => At(environment, Midnight.AddSeconds(i)))];

        Assert.All(
            readings,
            reading =>
            {
                Assert.Equal(reading.HasTemperatureC, reading.HasHumidityPercent);
                Assert.Equal(reading.HasTemperatureC, reading.HasCo2Ppm);
                Assert.Equal(reading.HasPressurePa, reading.HasIcpTemperatureF);
                Assert.Equal(reading.HasTvocPpb, reading.HasEquivalentCo2Ppm);
            }
        );
        var missing = readings.Count(reading => !reading.HasPressurePa);
        Assert.InRange(missing / (double)readings.Count, 0.001, 0.02);
        Assert.Equal(missing, environment.Sensors.Single(sensor => sensor.Name == "simulated-icp10125").Failures);
        var longest = 0;
        var run = 0;
        foreach (var reading in readings)
        {
            run = reading.HasPressurePa ? 0 : run + 1;
            longest = Math.Max(longest, run);
        }
        Assert.InRange(longest, 10, 480);
    }

    [Fact]
    public void A_sensor_that_repeats_itself_is_flagged_after_as_long_as_a_real_one()
    {
        var sensor = new SimulatedSensor("simulated-x", new Draws(9), TimeSpan.FromSeconds(1), StuckAfter);
        List<(long Now, long Measured, Quality Quality)> all = [];
        for (var i = 0; i < 40 * 24 * 6; i++)
        {
            var now = Midnight.AddMinutes(10 * i).UtcTicks;
            if (sensor.At(now) is { } measurement)
                all.Add((now, measurement.Ticks, measurement.Quality));
        }

        Assert.All(all, one => Assert.Equal(one.Now - one.Measured >= StuckAfter.Ticks, one.Quality == Quality.Stuck));
        Assert.InRange(all.Count(one => one.Quality == Quality.Stuck) / (double)all.Count, 0.0005, 0.01);
        Assert.True(all.Max(one => one.Now - one.Measured) < TimeSpan.FromMinutes(50).Ticks);
    }

    [Fact]
    public void A_sensor_measures_at_its_own_pace()
    {
        var readings = Run(6, 40, TimeSpan.FromMilliseconds(500), Midnight.AddHours(9));

        Assert.InRange(readings.Where(reading => reading.HasTemperatureC).Select(reading => reading.TemperatureC).Distinct().Count(), 3, 5);
        Assert.InRange(readings.Where(reading => reading.HasPressurePa).Select(reading => reading.PressurePa).Distinct().Count(), 15, 21);
    }
}
