using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace ThermalStreaming.Bench;

/// <summary>Figures by number of devices: a line for each figure, a column for each number. Not thread-safe.</summary>
sealed class FleetTable
{
    readonly List<(string Name, string Unit)> figures = [];
    readonly Dictionary<(string Name, int Devices), double> values = [];
    readonly List<(string Name, string Value)> conditions = [];

    /// <summary>The numbers of devices that have figures, smallest first.</summary>
    public IReadOnlyList<int> Sizes => [.. values.Keys.Select(key => key.Devices).Distinct().Order()];

    public void Condition(string name, string value) => conditions.Add((name, value));

    public void Add(int devices, string name, double value, string unit)
    {
        if (!figures.Exists(figure => figure.Name == name))
            figures.Add((name, unit));
        values[(name, devices)] = value;
    }

    /// <summary>How much a figure grows with each device: between the smallest and the largest number of devices.</summary>
    /// <returns>Not a number unless there are two.</returns>
    public double Slope(string name)
    {
        var sizes = Sizes.Where(size => values.ContainsKey((name, size))).ToList();
        return sizes.Count < 2 ? double.NaN : (values[(name, sizes[^1])] - values[(name, sizes[0])]) / (sizes[^1] - sizes[0]);
    }

    /// <summary>As Markdown.</summary>
    public void Print(TextWriter output)
    {
        output.WriteLine();
        foreach (var (name, value) in conditions)
            output.WriteLine($"{name}: {value}");
        output.WriteLine();
        var sizes = Sizes;
        output.WriteLine($"| devices | {string.Join(" | ", sizes.Select(size => size.ToString("#,0", CultureInfo.InvariantCulture)))} |");
        output.WriteLine($"|---|{string.Concat(sizes.Select(_ => "---|"))}");
        foreach (var (name, unit) in figures)
        {
            var cells = sizes.Select(size => values.TryGetValue((name, size), out var value) ? Text(value) : "");
            output.WriteLine($"| {name}{(unit.Length > 0 ? $", {unit}" : "")} | {string.Join(" | ", cells)} |");
        }
    }

    /// <summary>{"conditions": {…}, "figures": [{"name", "unit", "devices": {"100": …}}]}</summary>
    public void Write(string path)
    {
        using var stream = File.Create(path);
        using var json = new Utf8JsonWriter(
            stream,
            new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }
        );
        json.WriteStartObject();
        json.WriteStartObject("conditions");
        foreach (var (name, value) in conditions)
            json.WriteString(name, value);
        json.WriteEndObject();
        json.WriteStartArray("figures");
        foreach (var (name, unit) in figures)
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            json.WriteString("unit", unit);
            json.WriteStartObject("devices");
            foreach (var size in Sizes)
            {
                if (values.TryGetValue((name, size), out var value) && double.IsFinite(value))
                    json.WriteNumber(size.ToString(CultureInfo.InvariantCulture), Math.Round(value, 4));
            }
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Three significant digits.</summary>
    internal static string Text(double value) =>
        !double.IsFinite(value) ? "–"
        : value == 0 ? "0"
        : Math.Abs(value) >= 100 ? value.ToString("#,0", CultureInfo.InvariantCulture)
        : Math.Abs(value) >= 10 ? value.ToString("0.0", CultureInfo.InvariantCulture)
        : value.ToString("G3", CultureInfo.InvariantCulture);
}
