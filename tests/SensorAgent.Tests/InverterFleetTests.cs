using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent.Tests;

public sealed class InverterFleetTests
{
    const int Inverters = 60;
    const int Cycles = 4_000;

    static readonly List<InverterReading[]> Readings = Run(20261120, Cycles);

    static List<InverterReading[]> Run(int seed, int cycles)
    {
        var fleet = new InverterFleet(Inverters, seed);
        return [.. Enumerable.Range(0, cycles).Select(_ => Enumerable.Range(0, Inverters).Select(fleet.Read).ToArray())];
    }

    static IEnumerable<InverterReading> All => Readings.SelectMany(cycle => cycle);

    [Fact]
    public void The_same_seed_gives_the_same_fleet_and_another_seed_another()
    {
        Assert.Equal(Run(5, 20), Run(5, 20));
        Assert.NotEqual(Run(5, 20), Run(6, 20));
    }

    [Fact]
    public void Inverters_are_named_from_1_on()
    {
        Assert.Equal(Enumerable.Range(1, Inverters).Select(number => $"Inverter_{number}"), Readings[0].Select(reading => reading.InverterId));
    }

    public static TheoryData<string, double, double> Ranges => new()
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
        var value = InverterRule.All.Single(rule => rule.Key == key).Value;
        var values = All.Select(value).ToList();

        Assert.InRange(values.Count(v => v is null) / (double)values.Count, 0.008, 0.012);
        var present = values.OfType<double>().ToList();
        Assert.All(present, v => Assert.InRange(v, min, max));
        // Each fifth of the range has its fifth of the values.
        for (var i = 0; i < 5; i++)
            Assert.InRange(present.Count(v => v >= min + (max - min) * i / 5 && v < min + (max - min) * (i + 1) / 5) / (double)present.Count, 0.15, 0.25);
    }

    [Fact]
    public void About_a_quarter_breaks_a_rule()
    {
        var invalid = All.Count(reading => InverterRule.All.Any(rule => rule.Broken(reading) is not null)) / (double)(Inverters * Cycles);

        Assert.InRange(invalid, 0.22, 0.28);
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
