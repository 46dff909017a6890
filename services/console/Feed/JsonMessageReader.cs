using System.Globalization;
using System.Text.Json;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Console;

/// <summary>Reads from a JSON message what the page shows: an object, or an array of objects, with the keys of a row.</summary>
static class JsonMessageReader
{
    /// <exception cref="JsonException">It is not JSON.</exception>
    public static Message Read(ReadOnlyMemory<byte> body, ReadingKind kind)
    {
        using var document = JsonDocument.Parse(body);
        var objects = document.RootElement.ValueKind switch
        {
            JsonValueKind.Object => [document.RootElement],
            JsonValueKind.Array => document.RootElement.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.Object).ToArray(),
            _ => [],
        };
        var observations = new List<Observation>();
        var inverters = new List<Inverter>();
        foreach (var reading in objects)
        {
            // The times of other senders have many forms; the time of arrival is good enough for a page.
            if (kind == ReadingKind.Inverter && reading.TryGetProperty("id", out var id) && id.ValueKind == JsonValueKind.String)
            {
                var fault = reading.TryGetProperty("fault_status", out var said) && said.ValueKind == JsonValueKind.String ? said : default;
                inverters.Add(
                    new Inverter(
                        MessageReader.Shown(id.GetString()!),
                        null,
                        Number(reading, "PAC"),
                        Number(reading, "energy_output"),
                        Number(reading, "temperature"),
                        fault.ValueKind == JsonValueKind.String && fault.GetString() is not "None"
                            ? MessageReader.Shown(fault.GetString()!)
                            : ""
                    )
                );
            }
            else if (kind == ReadingKind.Thermal)
            {
                for (var i = 0; i < Metric.Count; i++)
                {
                    if (Metric.All[i] is { Column.Length: > 0 } metric && Number(reading, metric.Column) is { } value)
                        observations.Add(new Observation(null, i, value * metric.Scale));
                }
                if (Number(reading, "cputempf") is { } fahrenheit)
                    observations.Add(new Observation(null, Metric.Processor, (fahrenheit - 32) / 1.8));
            }
        }
        return new Message(objects.Length, observations, inverters, "", false);
    }

    static double? Number(JsonElement reading, string key)
    {
        if (!reading.TryGetProperty(key, out var value))
            return null;
        double number = double.NaN;
        var isNumber = value.ValueKind switch
        {
            JsonValueKind.Number => value.TryGetDouble(out number),
            JsonValueKind.String => double.TryParse(value.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out number),
            _ => false,
        };
        return isNumber ? MessageReader.Shown(number) : null;
    }
}
