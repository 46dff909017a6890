using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>
/// What 60 inverters say from midnight to midnight, every five minutes, as JSON messages with one round each. Some readings break rules,
/// each as <see cref="Broken"/> says. The same seed gives the same day.
/// </summary>
sealed class DayOfInverters
{
    public const string Device = "day";
    const int Inverters = 60;
    const int Rounds = 288;

    /// <summary>The original's ranges (sql and validation of the second original project): a value within and one outside.</summary>
    static readonly (string Metric, double Least, double Most, double Wrong)[] metrics =
    [
        ("PAC", 1000, 5000, 5000.01),
        ("energy_output", 10_000, 20_000, 9_999),
        ("energy_conversion_efficiency", 90, 99, 99.5),
        ("performance_ratio", 0.7, 0.95, 0.5),
        ("system_uptime", 98, 100, 97.99),
        ("temperature", 30, 54, 61),
        ("input_voltage", 520, 680, 701),
        ("output_voltage", 220, 240, 219),
        ("frequency", 49.5, 50.5, 51.5),
    ];

    readonly string boot = Guid.NewGuid().ToString("N");
    readonly List<double?[]> values = [];
    readonly Dictionary<long, IReadOnlyList<string>> broken = [];
    readonly DateTimeOffset midnight;

    public DayOfInverters(DateTimeOffset midnight, Random random)
    {
        this.midnight = midnight;
        for (var sequence = 1L; sequence <= Count; sequence++)
        {
            var row = metrics
                .Select(metric => (double?)Math.Round(metric.Least + random.NextDouble() * (metric.Most - metric.Least), 3))
                .ToArray();
            if (random.Next(25) == 0)
            {
                var wrong = Enumerable.Range(0, metrics.Length).OrderBy(_ => random.Next()).Take(random.Next(1, 4)).ToList();
                foreach (var metric in wrong)
                    row[metric] = random.Next(3) == 0 ? null : metrics[metric].Wrong;
                broken[sequence] = [.. wrong.Select(metric => metrics[metric].Metric).Order(StringComparer.Ordinal)];
            }
            values.Add(row);
        }
    }

    /// <summary>Readings of the day; they are numbered from 1 on.</summary>
    public static long Count => Inverters * Rounds;

    /// <summary>The rules that readings break, in alphabetical order, by the readings' numbers.</summary>
    public IReadOnlyDictionary<long, IReadOnlyList<string>> Broken => broken;

    /// <summary>PAC of all readings that break no rule.</summary>
    public double ValidPac => Enumerable.Range(0, values.Count).Where(i => !broken.ContainsKey(i + 1)).Sum(i => values[i][0]!.Value);

    /// <summary>A message for each round.</summary>
    public IEnumerable<byte[]> Messages()
    {
        for (var round = 0; round < Rounds; round++)
        {
            var at = midnight.AddMinutes(5 * round).UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture);
            var rows = Enumerable.Range(0, Inverters).Select(inverter => Row(round * Inverters + inverter, inverter, at));
            yield return Encoding.UTF8.GetBytes($"[{string.Join(',', rows)}]");
        }
    }

    string Row(int index, int inverter, string at)
    {
        var row = new Dictionary<string, object?> { ["id"] = $"Inverter_{inverter + 1}" };
        for (var metric = 0; metric < metrics.Length; metric++)
            row[metrics[metric].Metric] = values[index][metric];
        row["fault_status"] = "None";
        row["boot_id"] = boot;
        row["sequence"] = index + 1;
        row["observed_at"] = $"{at}Z";
        return JsonSerializer.Serialize(row);
    }
}
