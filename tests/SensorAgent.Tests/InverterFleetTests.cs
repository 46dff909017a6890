using Google.Protobuf;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent.Tests;

public sealed class InverterFleetTests
{
    const int Inverters = 60;
    const int Cycles = 4_000;

    static readonly TimeSpan Cycle = TimeSpan.FromSeconds(20);

    static readonly DateTimeOffset Midnight = new(2026, 11, 20, 0, 0, 0, TimeSpan.Zero);

    static readonly List<InverterReading[]> Readings = Run(20261120, Cycles);

    static InverterFleet Fleet(int seed, bool hasDaylight = false) => new(Inverters, seed, Cycle, hasDaylight);

    static List<InverterReading[]> Run(int seed, int cycles, int from = 0) => Run(Fleet(seed), cycles, from);

    static List<InverterReading[]> Run(InverterFleet fleet, int cycles, int from = 0) =>
        [
            .. Enumerable
                .Range(from, cycles)
                .Select(cycle => Enumerable.Range(0, Inverters).Select(i => fleet.Read(i, Midnight + cycle * Cycle)).ToArray()),
        ];

    static IEnumerable<InverterReading> All => Readings.SelectMany(cycle => cycle);

    [Fact]
    public void The_same_seed_gives_the_same_fleet_and_another_seed_another()
    {
        Assert.Equal(Run(5, 20), Run(5, 20));
        Assert.NotEqual(Run(5, 20), Run(6, 20));
    }

    [Fact]
    public void A_restart_changes_nothing_and_within_a_cycle_nothing_changes()
    {
        Assert.Equal(Run(5, 20)[12..], Run(5, 8, from: 12));
        var fleet = Fleet(5);
        Assert.Equal(fleet.Read(3, Midnight), fleet.Read(3, Midnight.AddSeconds(19.9)));
    }

    [Fact]
    public void With_daylight_they_sleep_at_night_and_the_power_follows_the_sun_within_its_range()
    {
        var fleet = Fleet(5, hasDaylight: true);
        Assert.True(fleet.IsAsleep(Midnight) && fleet.IsAsleep(Midnight.AddHours(18)) && fleet.IsAsleep(Midnight.AddHours(5.9)));
        Assert.False(fleet.IsAsleep(Midnight.AddHours(6.1)) || Fleet(5).IsAsleep(Midnight));
        double Power(int hour) => Run(fleet, 180, hour * 180).SelectMany(cycle => cycle).Where(one => one.HasPacW).Average(one => one.PacW);

        Assert.True(Power(6) < Power(8) && Power(8) < Power(11) && Power(12) > Power(16) && Power(16) > 1000);
        Assert.All(
            Run(fleet, 12 * 180, 6 * 180).SelectMany(cycle => cycle).Where(one => one.HasPacW),
            one => Assert.InRange(one.PacW, 1000, 5000)
        );
    }

    [Fact]
    public void Inverters_are_named_from_1_on()
    {
        Assert.Equal(
            Enumerable.Range(1, Inverters).Select(number => $"Inverter_{number}"),
            Readings[0].Select(reading => reading.InverterId)
        );
    }

    public static TheoryData<string, double, double> Ranges =>
        new()
        {
            { "PAC", 1000, 5000 },
            { "energy_output", 10000, 20000 },
            { "energy_conversion_efficiency", 90, 100 },
            { "performance_ratio", 0.70, 0.96 },
            { "system_uptime", 98, 100 },
            { "temperature", 30, 56 },
            { "input_voltage", 515, 700 },
            { "output_voltage", 220, 241 },
            { "frequency", 49, 51 },
        };

    [Theory, MemberData(nameof(Ranges))]
    public void Each_value_is_uniform_in_its_range_and_missing_once_in_a_hundred(string key, double min, double max)
    {
        var value = InverterMetrics.All[key];
        var values = All.Select(value).ToList();

        Assert.InRange(values.Count(v => v is null) / (double)values.Count, 0.008, 0.012);
        var present = values.OfType<double>().ToList();
        Assert.All(present, v => Assert.InRange(v, min, max));
        // Each fifth of the range has its fifth of the values.
        for (var i = 0; i < 5; i++)
            Assert.InRange(
                present.Count(v => v >= min + (max - min) * i / 5 && v < min + (max - min) * (i + 1) / 5) / (double)present.Count,
                0.15,
                0.25
            );
    }

    [Fact]
    public void About_a_quarter_breaks_a_rule()
    {
        var invalid = All.Count(reading => IsInvalid(reading)) / (double)(Inverters * Cycles);

        Assert.InRange(invalid, 0.22, 0.28);

        static bool IsInvalid(InverterReading reading)
        {
            var batch = new ReadingBatch
            {
                DeviceId = "fleet",
                BootId = "0123456789abcdef0123456789abcdef",
                Inverters = { reading },
            };
            var payload = Payload.Decode(batch.ToByteArray(), isJson: false, "fleet", ReadingKind.Inverter, DateTimeOffset.UnixEpoch);
            return new RuleChecker(ValidationRules.Default).Rejects(payload, 0);
        }
    }

    [Fact]
    public void The_status_is_what_the_values_say()
    {
        Assert.All(All, reading => Assert.Equal(InverterFaults.Derive(reading), reading.FaultStatus));
        Assert.Equal(6, All.Select(reading => reading.FaultStatus).Distinct().Count());
    }

    [Theory]
    [InlineData(FaultStatus.Overheat)]
    [InlineData(FaultStatus.UnderVoltage)]
    [InlineData(FaultStatus.OverVoltage)]
    public void A_fault_lasts_for_several_cycles(FaultStatus fault)
    {
        List<int> runs = [];
        for (var inverter = 0; inverter < Inverters; inverter++)
        {
            var run = 0;
            foreach (var cycle in Readings)
            {
                // A missing value hides the fault for one cycle; that does not end it.
                if (cycle[inverter].FaultStatus == FaultStatus.SensorFailure)
                    continue;
                if (cycle[inverter].FaultStatus == fault)
                {
                    run++;
                }
                else if (run > 0)
                {
                    runs.Add(run);
                    run = 0;
                }
            }
        }

        Assert.True(runs.Count > 20);
        // Independent draws would give 1.04 to 1.12.
        Assert.True(runs.Average() > 2.5, $"{runs.Average()}");
    }
}
