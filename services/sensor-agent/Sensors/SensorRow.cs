using System.Globalization;
using System.Text.Json;
using ThermalStreaming.Sensors;

namespace ThermalStreaming.SensorAgent;

/// <summary>A sensor as <c>/status</c> and the verb <c>sensors</c> show it.</summary>
/// <param name="Id">Kind, bus and address.</param>
/// <param name="State">One of <see cref="SensorState"/>.</param>
/// <param name="Description">Type, serial number, mode.</param>
/// <param name="Problem">Why it does not deliver; "" when it does.</param>
/// <param name="AgeSeconds">Age of its values.</param>
/// <param name="Quality">Flags; "" when nothing is odd.</param>
/// <param name="Values">Current values by name and unit.</param>
sealed record SensorRow(
    string Id,
    string State,
    string Description,
    string Problem,
    double? AgeSeconds,
    string Quality,
    IReadOnlyList<KeyValuePair<string, double>> Values
)
{
    public static SensorRow Of(SensorStatus status)
    {
        var current = status.Current;
        List<KeyValuePair<string, double>> values = [];
        if (current is not null)
        {
            Add("temperature_c", current.TemperatureC, 2);
            Add("humidity_percent", current.HumidityPercent, 2);
            Add("co2_ppm", current.Co2Ppm, 0);
            Add("pressure_pa", current.PressurePa, 1);
            Add("eco2_ppm", current.EquivalentCo2Ppm, 0);
            Add("tvoc_ppb", current.TvocPpb, 0);
            Add("gas_ohm", current.GasResistanceOhm, 0);
        }
        var odd = current is null || current.Quality == Sensors.Quality.None ? "" : current.Quality.ToString();
        return new(
            status.Id,
            status.State.ToString(),
            status.Description,
            status.Problem ?? "",
            current is null ? null : status.Age?.TotalSeconds,
            odd,
            values
        );

        void Add(string name, double? value, int decimals)
        {
            if (value is { } number)
                values.Add(new(name, Math.Round(number, decimals)));
        }
    }

    /// <summary>Reads what <see cref="Write"/> writes.</summary>
    public static SensorRow Parse(JsonElement json) =>
        new(
            json.GetProperty("id").GetString()!,
            json.GetProperty("state").GetString()!,
            json.GetProperty("description").GetString()!,
            json.GetProperty("problem").GetString()!,
            json.TryGetProperty("age_seconds", out var age) ? age.GetDouble() : null,
            json.GetProperty("quality").GetString()!,
            [.. json.GetProperty("values").EnumerateObject().Select(value => KeyValuePair.Create(value.Name, value.Value.GetDouble()))]
        );

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, Id);
        json.WriteString("state"u8, State);
        json.WriteString("description"u8, Description);
        json.WriteString("problem"u8, Problem);
        if (AgeSeconds is { } age)
            json.WriteNumber("age_seconds"u8, Math.Round(age, 1));
        json.WriteString("quality"u8, Quality);
        json.WriteStartObject("values"u8);
        foreach (var (name, value) in Values)
            json.WriteNumber(name, value);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>The values in one line.</summary>
    public string ValuesText =>
        string.Join(", ", Values.Select(value => string.Create(CultureInfo.InvariantCulture, $"{value.Key} {value.Value}")));
}
