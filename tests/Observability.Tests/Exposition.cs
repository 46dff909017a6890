using System.Globalization;

namespace ThermalStreaming.Observability.Tests;

/// <summary>What a service shows at <c>/metrics</c>, taken apart as the text format 0.0.4 has it.</summary>
sealed class Exposition
{
    readonly List<(string Name, string Labels, double Value)> samples = [];

    /// <summary>Families with their type.</summary>
    public Dictionary<string, string> Types { get; } = new(StringComparer.Ordinal);

    /// <summary>Help texts of families.</summary>
    public Dictionary<string, string> Help { get; } = new(StringComparer.Ordinal);

    /// <summary>Names that queries may use: of histograms those with <c>_bucket</c>, <c>_sum</c> and <c>_count</c>.</summary>
    public IEnumerable<string> Names => samples.Select(sample => sample.Name).Distinct();

    public static Exposition Parse(string text)
    {
        var exposition = new Exposition();
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var words = line.Split(' ', 4);
            if (words is ["#", "TYPE", var typed, var type])
                exposition.Types[typed] = type;
            else if (words is ["#", "HELP", var helped, var help])
                exposition.Help[helped] = help;
            else
                exposition.Add(line);
        }
        return exposition;
    }

    /// <summary>The value of the only sample of this name; null when there is none.</summary>
    public double? Value(string name) =>
        samples.SingleOrDefault(sample => sample.Name == name) is { Name: not null } found ? found.Value : null;

    public double Sum(string name) => samples.Where(sample => sample.Name == name).Sum(sample => sample.Value);

    /// <summary>The labels of each sample of this name.</summary>
    public IEnumerable<string> Labels(string name) => samples.Where(sample => sample.Name == name).Select(sample => sample.Labels);

    void Add(string line)
    {
        var (brace, end) = (line.IndexOf('{', StringComparison.Ordinal), line.LastIndexOf('}'));
        var (name, labels, value) =
            brace < 0
                ? (line[..line.IndexOf(' ', StringComparison.Ordinal)], "", line[(line.LastIndexOf(' ') + 1)..])
                : (line[..brace], line[(brace + 1)..end], line[(end + 2)..]);
        samples.Add((name, labels, value == "+Inf" ? double.PositiveInfinity : double.Parse(value, CultureInfo.InvariantCulture)));
    }
}
