namespace ThermalStreaming.Readings;

/// <summary>The keys of the rows that rules can be about, to find misspelt ones.</summary>
static class RuleMetrics
{
    static readonly Dictionary<string, JsonType> thermal = new(Known(JsonFields.Thermal), StringComparer.Ordinal)
    {
        [ThermalRow.GasResistance.Name] = JsonType.Number,
        [ThermalRow.Quality.Name] = JsonType.Text,
        [ThermalRow.Sensors.Name] = JsonType.Text,
        // A JSON boolean, which no rule can test; the bits of throttled hold the same fact.
        [ThermalRow.Throttled.Name] = JsonType.Number,
        [ThermalRow.LoadAverage.Name] = JsonType.Number,
        [ThermalRow.Uptime.Name] = JsonType.Number,
    };

    static readonly Dictionary<string, JsonType> inverter = new(Known(JsonFields.Inverter), StringComparer.Ordinal)
    {
        [ThermalRow.Quality.Name] = JsonType.Text,
    };

    /// <summary>Whether rows of that kind have the key, and the type of its values.</summary>
    public static bool TryGet(ReadingKind kind, string metric, out JsonType type) => Of(kind).TryGetValue(metric, out type);

    public static IEnumerable<string> Names(ReadingKind kind) => Of(kind).Keys;

    static Dictionary<string, JsonType> Of(ReadingKind kind) => kind == ReadingKind.Thermal ? thermal : inverter;

    static Dictionary<string, JsonType> Known(JsonFields fields) =>
        Enumerable
            .Range(0, fields.Count)
            .Where(index => fields[index].Type != JsonType.Time)
            .ToDictionary(index => fields[index].Key.Name, index => fields[index].Type, StringComparer.Ordinal);
}
