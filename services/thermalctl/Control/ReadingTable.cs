using System.Text.Json;
using Spectre.Console;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Thermalctl;

/// <summary>The values of a thermal reading alone, as a table and as JSON. Values that no sensor delivered are left out, or null.</summary>
static class ReadingTable
{
    static readonly (string Key, string Name, string Unit, int Decimals, Func<ThermalReading, double?> Value)[] values =
    [
        ("temperature_c", "temperature", "°C", 2, reading => reading.HasTemperatureC ? reading.TemperatureC : null),
        ("humidity_percent", "humidity", "%", 1, reading => reading.HasHumidityPercent ? reading.HumidityPercent : null),
        ("co2_ppm", "CO2", "ppm", 0, reading => reading.HasCo2Ppm ? reading.Co2Ppm : null),
        ("pressure_pa", "pressure", "Pa", 0, reading => reading.HasPressurePa ? reading.PressurePa : null),
        (
            "icp_temperature_f",
            "temperature of the barometer",
            "°F",
            1,
            reading => reading.HasIcpTemperatureF ? reading.IcpTemperatureF : null
        ),
        ("equivalent_co2_ppm", "equivalent CO2", "ppm", 0, reading => reading.HasEquivalentCo2Ppm ? reading.EquivalentCo2Ppm : null),
        ("tvoc_ppb", "volatile organic compounds", "ppb", 0, reading => reading.HasTvocPpb ? reading.TvocPpb : null),
        ("gas_resistance_ohm", "gas sensor", "Ω", 0, reading => reading.HasGasResistanceOhm ? reading.GasResistanceOhm : null),
        ("cpu_temperature_c", "processor's temperature", "°C", 1, reading => reading.HasCpuTemperatureC ? reading.CpuTemperatureC : null),
        ("cpu_percent", "processor", "%", 1, reading => reading.HasCpuPercent ? reading.CpuPercent : null),
        ("memory_percent", "memory", "%", 1, reading => reading.HasMemoryPercent ? reading.MemoryPercent : null),
        ("disk_free_mb", "free on the data volume", "MB", 0, reading => reading.HasDiskFreeMb ? reading.DiskFreeMb : null),
        ("load_average", "load", "", 2, reading => reading.HasLoadAverage ? reading.LoadAverage : null),
    ];

    public static void Print(IAnsiConsole console, ThermalReading reading)
    {
        var table = new Table().Border(TableBorder.None).HideHeaders();
        table.AddColumns(new TableColumn(""), new TableColumn("").RightAligned(), new TableColumn(""));
        foreach (var (_, name, unit, decimals, read) in values)
        {
            if (read(reading) is { } value)
                table.AddRow(new Text($"    {name}"), new Text(Number(value, decimals)), new Text(unit));
        }
        if (table.Rows.Count == 0)
            console.WriteLine("    no sensor delivered a value");
        else
            console.Write(table);
        if (reading.HasQuality)
            console.MarkupLineInterpolated($"    [yellow]odd:[/] {reading.Quality}");
        if (reading.HasUnderVoltage && reading.UnderVoltage)
            console.MarkupLine("    [yellow]the supply was below 4.63 V within the last seconds[/]");
    }

    public static void Write(Utf8JsonWriter writer, ThermalReading reading)
    {
        writer.WriteStartObject("reading");
        foreach (var (key, _, _, decimals, read) in values)
            JsonText.Number(writer, key, read(reading), decimals + 2);
        writer.WriteString("quality", reading.HasQuality ? reading.Quality : null);
        writer.WriteEndObject();
    }

    static string Number(double value, int decimals) =>
        value.ToString(decimals == 0 ? "#,0" : "#,0." + new string('0', decimals), System.Globalization.CultureInfo.InvariantCulture);
}
