using System.Globalization;

namespace ThermalStreaming.Bench;

/// <summary>Metrics as Prometheus reads them.</summary>
/// <param name="text">Lines of name, labels and value.</param>
sealed class MetricLines(string text)
{
    /// <summary>The values of a metric, added up.</summary>
    /// <param name="name">Its whole name.</param>
    /// <param name="label">Only those with this label, for example <c>operation="append"</c>; "" for all.</param>
    public double Sum(string name, string label = "") =>
        text.Split('\n')
            .Where(line =>
                line.Length > name.Length
                && line.StartsWith(name, StringComparison.Ordinal)
                && line[name.Length] is ' ' or '{'
                && line.Contains(label, StringComparison.Ordinal)
            )
            .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
}
