using System.Globalization;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// A generated fleet of inverters with the original's fields and ranges. Each value is uniform in its range, so about a quarter of the
/// readings break a validation rule, as the original's did; but it wanders from reading to reading instead of jumping, so an overheated
/// inverter stays so for several cycles. Each numeric value is missing with probability 0.01. The same seed gives the same fleet. Not
/// thread-safe.
/// </summary>
sealed class InverterFleet
{
    /// <summary>Probability that a value is missing in a reading.</summary>
    public const double MissingProbability = 0.01;

    /// <summary>
    /// A value: the range that is generated, how far it may move per cycle as a share of that range, and its decimals in the row.
    /// </summary>
    readonly record struct Field(double Min, double Max, double Step, int Decimals, Action<InverterReading, double> Set);

    // The steps of temperature, voltage and frequency make their faults last several cycles on average.
    static readonly Field[] Fields =
    [
        new(1000, 5000, 0.08, 2, (reading, value) => reading.PacW = value),
        new(10000, 20000, 0.04, 2, (reading, value) => reading.EnergyOutputKwh = value),
        new(90, 100, 0.06, 2, (reading, value) => reading.EnergyConversionEfficiencyPercent = value),
        new(0.70, 0.96, 0.05, 4, (reading, value) => reading.PerformanceRatio = value),
        new(98, 100, 0.05, 2, (reading, value) => reading.SystemUptimePercent = value),
        new(30, 56, 0.02, 2, (reading, value) => reading.TemperatureC = value),
        new(515, 700, 0.02, 2, (reading, value) => reading.InputVoltageV = value),
        new(220, 241, 0.04, 2, (reading, value) => reading.OutputVoltageV = value),
        new(49, 51, 0.08, 3, (reading, value) => reading.FrequencyHz = value),
    ];

    readonly Random random;
    readonly string[] names;
    readonly double[] positions;

    public InverterFleet(int count, int seed)
    {
        random = new Random(seed);
        names = [.. Enumerable.Range(1, count).Select(number => string.Create(CultureInfo.InvariantCulture, $"Inverter_{number}"))];
        positions = [.. Enumerable.Range(0, count * Fields.Length).Select(_ => random.NextDouble())];
    }

    /// <summary>How many inverters there are.</summary>
    public int Count => names.Length;

    /// <summary>Next reading of one inverter, without sequence and time.</summary>
    /// <param name="index">Which one, from 0.</param>
    public InverterReading Read(int index)
    {
        var reading = new InverterReading { InverterId = names[index] };
        for (var i = 0; i < Fields.Length; i++)
        {
            ref var position = ref positions[index * Fields.Length + i];
            position = Step(position, Fields[i].Step);
            // Rounded as the row has it, so that fault status and row cannot disagree.
            if (random.NextDouble() >= MissingProbability)
                Fields[i].Set(reading, Math.Round(Fields[i].Min + position * (Fields[i].Max - Fields[i].Min), Fields[i].Decimals));
        }
        reading.FaultStatus = InverterFaults.Derive(reading);
        return reading;
    }

    // A walk that is reflected at 0 and 1 stays uniform between them if it began so.
    double Step(double position, double step)
    {
        position = Math.Abs(position + (2 * random.NextDouble() - 1) * step);
        return position > 1 ? 2 - position : position;
    }
}
