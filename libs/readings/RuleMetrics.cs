namespace ThermalStreaming.Readings;

/// <summary>The keys of the rows that rules can be about, so that a misspelt one is found.</summary>
static class RuleMetrics
{
    static readonly Dictionary<string, JsonType> thermal = new(Known(JsonFields.Thermal), StringComparer.Ordinal)
    {
        [ThermalRow.GasResistance.Name] = JsonType.Number,
        [ThermalRow.Quality.Name] = JsonType.Text,
        [ThermalRow.Sensors.Name] = JsonType.Text,
        // A JSON boolean, which no rule can test; the bits of throttled say it too.
        [ThermalRow.Throttled.Name] = JsonType.Number,
        [ThermalRow.LoadAverage.Name] = JsonType.Number,
        [ThermalRow.Uptime.Name] = JsonType.Number,
    };

    static readonly Dictionary<string, JsonType> inverter = new(Known(JsonFields.Inverter), StringComparer.Ordinal)
    {
        [ThermalRow.Quality.Name] = JsonType.Text,
    };

    /// <summary>Whether the key is one of the rows of that kind, and then what its values are.</summary>
    public static bool TryGet(ReadingKind kind, string metric, out JsonType type) => Of(kind).TryGetValue(metric, out type);

    public static IEnumerable<string> Names(ReadingKind kind) => Of(kind).Keys;

    static Dictionary<string, JsonType> Of(ReadingKind kind) => kind == ReadingKind.Thermal ? thermal : inverter;

    static Dictionary<string, JsonType> Known(JsonFields fields) =>
        Enumerable
            .Range(0, fields.Count)
            .Where(index => fields[index].Type != JsonType.Time)
            .ToDictionary(index => fields[index].Key.Name, index => fields[index].Type, StringComparer.Ordinal);
}
