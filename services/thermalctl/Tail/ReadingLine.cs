using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Thermalctl;

/// <summary>A reading on one line: the measured values with units.</summary>
static class ReadingLine
{
    /// <summary>Longest text of a sender's that is shown.</summary>
    const int MostText = 40;

    static readonly (string Key, string Before, string Unit)[] thermal =
    [
        ("temperature", "", "°C"),
        ("humidity", "", "%RH"),
        ("co2", "", "ppm CO2"),
        ("pressure", "", "Pa"),
        ("equivalentco2ppm", "eCO2", "ppm"),
        ("totalvocppb", "TVOC", "ppb"),
        ("gas_resistance", "gas", "Ω"),
        ("cputempf", "cpu", "°F"),
        ("cpu", "cpu", "%"),
        ("memory", "memory", "%"),
        ("quality", "", ""),
    ];

    static readonly (string Key, string Before, string Unit)[] inverter =
    [
        ("id", "", ""),
        ("PAC", "", "W"),
        ("energy_output", "", "kWh"),
        ("energy_conversion_efficiency", "", "%"),
        ("temperature", "", "°C"),
        ("input_voltage", "in", "V"),
        ("output_voltage", "out", "V"),
        ("frequency", "", "Hz"),
        ("fault_status", "fault", ""),
        ("quality", "", ""),
    ];

    public static string Of(ReadingKind kind, JsonObject row)
    {
        var text = new StringBuilder();
        foreach (var (key, before, unit) in kind == ReadingKind.Thermal ? thermal : inverter)
        {
            if (Value(row[key]) is not { Length: > 0 } value || (key == "fault_status" && value == "None"))
                continue;
            text.Append(text.Length > 0 ? "  " : "").Append(before.Length > 0 ? $"{before} " : "").Append(value);
            text.Append(unit.Length > 0 ? $" {unit}" : "");
        }
        return text.Length > 0 ? text.ToString() : "no value for the columns";
    }

    public static void Print(IAnsiConsole console, MessageReadings message, DateTimeOffset at, JsonObject row) =>
        console.MarkupLine(
            $"[grey]{Time(at)}[/] [bold]{Markup.Escape(message.DeviceId)}[/] [cyan]{Topics.Name(message.Kind)}[/]  "
                + Markup.Escape(Of(message.Kind, row))
        );

    public static void PrintProblem(IAnsiConsole console, MessageReadings message, DateTimeOffset at) =>
        console.MarkupLine(
            $"[grey]{Time(at)}[/] [bold]{Markup.Escape(message.DeviceId)}[/] [red]not taken:[/] "
                + Markup.Escape(TerminalText.Plain(message.Problem!))
        );

    static string Time(DateTimeOffset at) => at.ToLocalTime().ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);

    static string Value(JsonNode? node)
    {
        if (node is not JsonValue value || value.GetValueKind() is not (JsonValueKind.Number or JsonValueKind.String))
            return "";
        if (value.GetValueKind() == JsonValueKind.Number)
            return value.ToJsonString();
        var text = TerminalText.Plain(value.GetValue<string>().ReplaceLineEndings(" "));
        return text.Length > MostText ? text[..MostText] + "…" : text;
    }
}
