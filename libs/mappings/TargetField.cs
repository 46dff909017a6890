using ThermalStreaming.Readings;

namespace ThermalStreaming.Mappings;

/// <summary>A key of the rows that a mapping may fill.</summary>
/// <param name="Key">The key as in the row.</param>
/// <param name="Unit">Unit of its value; null for a text.</param>
sealed record TargetField(string Key, Unit? Unit)
{
    static readonly TargetField[] thermal =
    [
        Number("temperature", "°C"),
        Number("humidity", "%"),
        Number("co2", "ppm"),
        Number("pressure", "Pa"),
        Number("temperatureicp", "°F"),
        Number("equivalentco2ppm", "ppm"),
        Number("totalvocppb", "ppb"),
        Number("gas_resistance", "Ω"),
        Number("cputempf", "°F"),
        Number("cpu", "%"),
        Number("memory", "%"),
        new("host", null),
        new("hostname", null),
        new("ipaddress", null),
        new("macaddress", null),
    ];

    static readonly TargetField[] inverter =
    [
        Number("PAC", "W"),
        Number("energy_output", "kWh"),
        Number("energy_conversion_efficiency", "%"),
        Number("performance_ratio", "ratio"),
        Number("system_uptime", "%"),
        Number("temperature", "°C"),
        Number("input_voltage", "V"),
        Number("output_voltage", "V"),
        Number("frequency", "Hz"),
        new("id", null),
        new("fault_status", null),
    ];

    /// <summary>Keys that the forwarder writes itself, and those of a reading's time and identity.</summary>
    static readonly HashSet<string> reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        "device_id",
        "boot_id",
        "sequence",
        "observed_at",
        "datetimestamp",
        "ts",
        "uuid",
        "rowid",
        "systemtime",
        "starttime",
        "endtime",
        "te",
        "runtime",
        "diskusage",
        "local_hostname",
        "forwarded_at",
        "channel_id",
        "stream_offset",
        "as_sent",
    };

    public static IReadOnlyList<TargetField> All(ReadingKind kind) => kind == ReadingKind.Thermal ? thermal : inverter;

    /// <summary>Finds a field, regardless of case; null if rows of this kind have none.</summary>
    public static TargetField? Find(ReadingKind kind, string key) =>
        All(kind).FirstOrDefault(field => field.Key.Equals(key, StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether a key is free for an additional value.</summary>
    public static bool IsFree(ReadingKind kind, string key) =>
        Find(kind, key) is null
        && !reserved.Contains(key)
        && key.Length is > 0 and <= 64
        && key.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-');

    static TargetField Number(string key, string unit) => new(key, Unit.Find(unit));
}
