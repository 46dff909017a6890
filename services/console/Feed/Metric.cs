namespace ThermalStreaming.Console;

/// <summary>A value that the page draws.</summary>
/// <param name="Id">Its name on the wire to the page and in the history files; it never changes.</param>
/// <param name="Column">Its key in a JSON reading; empty if it has none.</param>
/// <param name="Scale">Factor from the unit of the JSON reading to the page's.</param>
sealed record Metric(string Id, string Column, double Scale = 1)
{
    public const int Temperature = 0,
        Humidity = 1,
        Co2 = 2,
        Pressure = 3,
        Tvoc = 4,
        Processor = 5,
        Power = 6;

    /// <summary>
    /// All metrics, by number. Temperatures are in °C, humidity in %, CO₂ in ppm, pressure in hPa, volatile organic compounds in ppb, power
    /// in W. The number is used only within a process.
    /// </summary>
    public static IReadOnlyList<Metric> All { get; } =
    [
        new("temperature", "temperature"),
        new("humidity", "humidity"),
        new("co2", "co2"),
        new("pressure", "pressure", 0.01),
        new("tvoc", "totalvocppb"),
        // In JSON it is in °F.
        new("processor", ""),
        new("power", ""),
    ];

    public static int Count => All.Count;

    /// <summary>Its number, or −1 for a name unknown to this version.</summary>
    public static int IndexOf(string id)
    {
        for (var i = 0; i < Count; i++)
        {
            if (All[i].Id == id)
                return i;
        }
        return -1;
    }
}
