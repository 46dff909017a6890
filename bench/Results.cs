using System.Globalization;
using System.Text.Json;

namespace ThermalStreaming.Bench;

/// <summary>The measured figures, in the order of measurement.</summary>
sealed class Results
{
    sealed record Figure(string Name, double Value, string Unit, string? Target, bool? Met);

    readonly List<Figure> figures = [];
    readonly List<(string Name, string Value)> conditions = [];

    public bool AllMet => figures.All(figure => figure.Met is not false);

    public void Condition(string name, string value)
    {
        conditions.Add((name, value));
        Console.WriteLine($"{name}: {value}");
    }

    /// <summary>A figure without target, for orientation.</summary>
    public void Add(string name, double value, string unit) => Add(new Figure(name, Round(value), unit, null, null));

    public void AtLeast(string name, double value, string unit, double target) =>
        Add(new Figure(name, Round(value), unit, string.Create(CultureInfo.InvariantCulture, $">= {target:#,0.##}"), value >= target));

    public void AtMost(string name, double value, string unit, double target) =>
        Add(new Figure(name, Round(value), unit, string.Create(CultureInfo.InvariantCulture, $"<= {target:#,0.##}"), value <= target));

    public void Print()
    {
        Console.WriteLine();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"what", -66} {"value", 12} {"unit", -12} {"target", -12} met"));
        foreach (var figure in figures)
            Console.WriteLine(Line(figure));
    }

    /// <summary>An array of {name, value, unit, target, met}; the conditions come last, with null for what they do not have.</summary>
    public void Write(string path)
    {
        using var stream = File.Create(path);
        using var json = new Utf8JsonWriter(
            stream,
            new JsonWriterOptions { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }
        );
        json.WriteStartArray();
        foreach (var figure in figures)
        {
            json.WriteStartObject();
            json.WriteString("name", figure.Name);
            json.WriteNumber("value", figure.Value);
            json.WriteString("unit", figure.Unit);
            json.WriteString("target", figure.Target);
            if (figure.Met is { } met)
                json.WriteBoolean("met", met);
            else
                json.WriteNull("met");
            json.WriteEndObject();
        }
        foreach (var (name, value) in conditions)
        {
            json.WriteStartObject();
            json.WriteString("name", $"condition: {name}");
            json.WriteString("value", value);
            json.WriteNull("unit");
            json.WriteNull("target");
            json.WriteNull("met");
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    void Add(Figure figure)
    {
        figures.Add(figure);
        Console.WriteLine(Line(figure));
    }

    static string Line(Figure figure) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{figure.Name, -66} {figure.Value, 12:#,0.###} {figure.Unit, -12} {figure.Target, -12} "
                + $"{figure.Met switch { true => "yes", false => "NO", null => "" }}"
        );

    static double Round(double value) => Math.Round(value, 3);
}
