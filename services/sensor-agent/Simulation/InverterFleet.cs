using System.Globalization;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// A generated fleet of inverters with the original's fields and ranges. Each value is uniform in its range, so about a quarter of the
/// readings break a validation rule, as the original's did. Values drift instead of jumping, so an overheated inverter stays so for several
/// cycles. Each numeric value is missing with probability 0.01. Every value is a function of the seed, the inverter and the cycle (counted
/// from a fixed instant), so a restart changes nothing. Immutable.
/// </summary>
sealed class InverterFleet
{
    /// <summary>Probability that a value is missing in a reading.</summary>
    public const double MissingProbability = 0.01;

    /// <summary>Cycles that a value needs at least before it is independent of its past, however long a cycle is.</summary>
    const int LeastCycles = 6;

    /// <summary>Daylight begins and ends at these hours of UTC.</summary>
    const double Sunrise = 6,
        Sunset = 18;

    /// <summary>A value: its generated range, the minutes until it is independent of its past, and its decimals in the row.</summary>
    readonly record struct Field(string Name, double Min, double Max, double Minutes, int Decimals, Action<InverterReading, double> Set);

    static readonly Field[] Fields =
    [
        new("PAC", 1000, 5000, 12, 2, (reading, value) => reading.PacW = value),
        new("energy_output", 10000, 20000, 20, 2, (reading, value) => reading.EnergyOutputKwh = value),
        new("energy_conversion_efficiency", 90, 100, 10, 2, (reading, value) => reading.EnergyConversionEfficiencyPercent = value),
        new("performance_ratio", 0.70, 0.96, 15, 4, (reading, value) => reading.PerformanceRatio = value),
        new("system_uptime", 98, 100, 20, 2, (reading, value) => reading.SystemUptimePercent = value),
        new("temperature", 30, 56, 20, 2, (reading, value) => reading.TemperatureC = value),
        new("input_voltage", 515, 700, 12, 2, (reading, value) => reading.InputVoltageV = value),
        new("output_voltage", 220, 241, 8, 2, (reading, value) => reading.OutputVoltageV = value),
        new("frequency", 49, 51, 3, 3, (reading, value) => reading.FrequencyHz = value),
    ];

    readonly string[] names;
    readonly Noise[] positions;
    readonly Draws missing;
    readonly TimeSpan interval;
    readonly bool hasDaylight;

    /// <param name="count">How many inverters.</param>
    /// <param name="seed">The same seed gives the same fleet.</param>
    /// <param name="interval">Time between two readings.</param>
    /// <param name="hasDaylight">Whether power and temperature follow the sun, and nothing is read at night.</param>
    public InverterFleet(int count, int seed, TimeSpan interval, bool hasDaylight)
    {
        (this.interval, this.hasDaylight) = (interval, hasDaylight);
        var draws = new Draws(seed).Of("inverters");
        missing = draws.Of("missing");
        names = [.. Enumerable.Range(1, count).Select(number => string.Create(CultureInfo.InvariantCulture, $"Inverter_{number}"))];
        positions = [.. names.SelectMany(name => Fields.Select(field => Position(draws.Of(name).Of(field.Name), field)))];
    }

    /// <summary>How many inverters there are.</summary>
    public int Count => names.Length;

    /// <summary>Whether it is night and the inverters are off.</summary>
    public bool IsAsleep(DateTimeOffset now) => hasDaylight && Sun(now.UtcTicks) <= 0;

    /// <summary>The reading of one inverter, without sequence and time.</summary>
    /// <param name="index">Index of the inverter, from 0.</param>
    /// <param name="now">The wall clock. Values stay the same within a cycle.</param>
    public InverterReading Read(int index, DateTimeOffset now)
    {
        var cycle = now.UtcTicks / interval.Ticks;
        var sun = hasDaylight ? Sun(cycle * interval.Ticks) : 1;
        var absent = missing.Of(index).Of(cycle);
        var reading = new InverterReading { InverterId = names[index] };
        for (var i = 0; i < Fields.Length; i++)
        {
            if (absent.Uniform(i) < MissingProbability)
                continue;
            var field = Fields[i];
            var share = Share(positions[index * Fields.Length + i].At(cycle * interval.Ticks));
            if (hasDaylight)
                share = UnderSun(field.Name, share, sun);
            // Rounded as in the row, so that fault status and row cannot disagree.
            field.Set(reading, Math.Round(field.Min + share * (field.Max - field.Min), field.Decimals));
        }
        reading.FaultStatus = InverterFaults.Derive(reading);
        return reading;
    }

    Noise Position(Draws draws, Field field) =>
        new(draws, 1, TimeSpan.FromTicks(Math.Max(TimeSpan.FromMinutes(field.Minutes).Ticks, LeastCycles * interval.Ticks)));

    static double UnderSun(string field, double share, double sun) =>
        field switch
        {
            "PAC" => sun * (0.6 + 0.4 * share),
            "temperature" => share * (0.4 + 0.6 * sun),
            _ => share,
        };

    /// <summary>0 at night, 1 at noon.</summary>
    static double Sun(long ticks)
    {
        var hour = (double)(ticks % TimeSpan.TicksPerDay) / TimeSpan.TicksPerHour;
        return hour is > Sunrise and < Sunset ? Math.Sin(Math.PI * (hour - Sunrise) / (Sunset - Sunrise)) : 0;
    }

    /// <summary>
    /// Turns a normal value into a uniform one from 0 to 1: the normal distribution function, by Abramowitz and Stegun 7.1.26, to within
    /// 2·10⁻⁷.
    /// </summary>
    static double Share(double normal)
    {
        var x = Math.Abs(normal) / Math.Sqrt(2);
        var t = 1 / (1 + 0.3275911 * x);
        var tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * Math.Exp(-x * x) / 2;
        return Math.Clamp(normal < 0 ? tail : 1 - tail, 0, 1);
    }
}
