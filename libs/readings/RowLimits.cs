namespace ThermalStreaming.Readings;

/// <summary>
/// What the columns of the destination's table can hold, to find a reading that does not fit before it is stored. Immutable.
/// </summary>
public sealed class RowLimits
{
    /// <summary>Most characters that <see cref="ThermalRow"/> writes for a key.</summary>
    static readonly (RowKey Key, int Characters)[] written =
    [
        (ThermalRow.Uuid, 36),
        (ThermalRow.RowId, 51),
        (ThermalRow.SystemTime, Instants.AmericanLength),
        (ThermalRow.StartTime, Instants.AmericanLength),
        (ThermalRow.EndTime, 20),
        (ThermalRow.Te, 12),
        (ThermalRow.DiskUsage, 23),
    ];

    /// <summary>The most digits, or characters, that <see cref="ThermalRow"/> writes for keys that a row has only when there is something
    /// to report.</summary>
    static readonly (RowKey Key, int Length)[] optional =
    [
        (ThermalRow.GasResistance, 11),
        (ThermalRow.Quality, ThermalValues.MostText),
        (ThermalRow.Sensors, ThermalValues.MostText),
        (ThermalRow.UnderVoltage, 0),
        (ThermalRow.Throttled, 10),
        (ThermalRow.LoadAverage, 7),
        (ThermalRow.Uptime, 15),
    ];

    readonly bool holdsOptional;
    readonly ColumnLimit?[] thermal;
    readonly ColumnLimit?[] inverter;
    readonly Dictionary<string, ColumnLimit> extra = new(StringComparer.OrdinalIgnoreCase);
    readonly ColumnLimit[] requiredExtra;
    readonly double temperature,
        humidity,
        co2,
        pressure,
        icp,
        equivalentCo2,
        tvoc,
        cpu,
        memory,
        cpuTemperature;

    /// <param name="columns">Of the table. A column takes the value of the key with its name, in any case.</param>
    /// <param name="isOwnTable">Whether keys that the rows do not have may have columns too.</param>
    public RowLimits(IReadOnlyCollection<ColumnLimit> columns, bool isOwnTable)
    {
        thermal = Find(JsonFields.Thermal);
        inverter = Find(JsonFields.Inverter);
        (temperature, humidity, co2, pressure, icp) = (
            Below(ThermalRow.Temperature),
            Below(ThermalRow.Humidity),
            Below(ThermalRow.Co2),
            Below(ThermalRow.Pressure),
            Below(ThermalRow.TemperatureIcp)
        );
        (equivalentCo2, tvoc, cpu, memory, cpuTemperature) = (
            Below(ThermalRow.EquivalentCo2),
            Below(ThermalRow.TotalVoc),
            Below(ThermalRow.Cpu),
            Below(ThermalRow.Memory),
            Below(ThermalRow.CpuTempF) / 2 - 32
        );
        IsRoomy =
            !columns.Any(column => column.IsRequired)
            && written.All(text => Of(text.Key) is not { } column || column.HoldsText(text.Characters))
            && Of(ThermalRow.Runtime) is null or { Type: ColumnType.Any } or { Type: ColumnType.Number, Length: >= 16 };
        foreach (var column in columns.Where(column => !thermal.Contains(column) && (isOwnTable || IsOptional(column.Name))))
            extra.TryAdd(column.Name, column);
        requiredExtra = [.. extra.Values.Where(column => column.IsRequired)];

        holdsOptional = optional.All(value => Of(value.Key) is not { } column || Holds(column, value.Length));

        static bool Holds(ColumnLimit column, int length) =>
            column.Type switch
            {
                ColumnType.Any => true,
                ColumnType.Boolean => length == 0,
                ColumnType.Real => length is > 0 and < ThermalValues.MostText,
                ColumnType.Number => length is > 0 and < ThermalValues.MostText && column.Length >= length,
                ColumnType.Text => column.Length >= Math.Max(length, 20),
                _ => false,
            };

        ColumnLimit?[] Find(JsonFields fields) =>
            [
                .. Enumerable
                    .Range(0, fields.Count)
                    .Select(i =>
                        columns.FirstOrDefault(column => column.Name.Equals(fields[i].Key.Name, StringComparison.OrdinalIgnoreCase))
                    ),
            ];

        ColumnLimit? Of(RowKey key) => columns.FirstOrDefault(column => column.Name.Equals(key.Name, StringComparison.OrdinalIgnoreCase));

        // Below the column's bound, so that rounding cannot reach it.
        double Below(RowKey key) =>
            Of(key) switch
            {
                null or { Type: ColumnType.Any or ColumnType.Real } => double.MaxValue,
                { Type: ColumnType.Number } column => Math.Pow(10, column.Length) - 1,
                _ => 0,
            };
    }

    /// <summary>Whether a row has a key only when there is something to report, with a column in the project's own table.</summary>
    internal static bool IsOptional(string key) => optional.Any(value => key.Equals(value.Key.Name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether a key is one of these, and not a text about other values.</summary>
    internal static bool IsOptionalMeasurement(string key) =>
        optional.Any(value => value.Length < ThermalValues.MostText && key.Equals(value.Key.Name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether everything except measurements and the names of a batch always fits.</summary>
    internal bool IsRoomy { get; }

    /// <summary>The column of each field; null when the table has none.</summary>
    internal ReadOnlySpan<ColumnLimit?> Columns(ReadingKind kind) => kind == ReadingKind.Thermal ? thermal : inverter;

    /// <summary>The column of a key of the thermal rows.</summary>
    internal ColumnLimit? Column(RowKey key) =>
        thermal.FirstOrDefault(column => column?.Name.Equals(key.Name, StringComparison.OrdinalIgnoreCase) == true);

    /// <summary>Why a value of a key that the rows do not have does not fit; null when all do.</summary>
    internal string? ExtraProblem(Dictionary<string, ReadOnlyMemory<byte>>? values)
    {
        if (values is null && requiredExtra.Length == 0)
            return null;
        foreach (var (key, value) in values ?? [])
        {
            if (extra.TryGetValue(key, out var column) && column.Problem(key, value.Span) is { } problem)
                return problem;
        }
        var missing = Array.Find(requiredExtra, column => values?.Keys.Contains(column.Name, StringComparer.OrdinalIgnoreCase) != true);
        return missing?.Problem(missing.Name, []);
    }

    /// <summary>Whether all measurements surely fit. Also false if finding out takes a closer look.</summary>
    internal bool SurelyHolds(in ThermalValues values) =>
        (holdsOptional || !values.HasOptional)
        && IsBelow(values.TemperatureC, temperature)
        && IsBelow(values.HumidityPercent, humidity)
        && IsBelow(values.Co2Ppm, co2)
        && IsBelow(values.PressurePa, pressure)
        && IsBelow(values.IcpTemperatureF, icp)
        && IsBelow(values.EquivalentCo2Ppm, equivalentCo2)
        && IsBelow(values.TvocPpb, tvoc)
        && IsBelow(values.CpuPercent, cpu)
        && IsBelow(values.MemoryPercent, memory)
        && IsBelow(values.CpuTemperatureC, cpuTemperature);

    static bool IsBelow(double? value, double bound) => !value.HasValue || Math.Abs(value.GetValueOrDefault()) < bound;
}
