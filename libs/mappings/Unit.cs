using System.Globalization;

namespace ThermalStreaming.Mappings;

/// <summary>A unit: (value + offset) · numerator / denominator is the value in the base unit of its quantity.</summary>
sealed record Unit(string Name, Quantity Quantity, decimal Numerator = 1, decimal Denominator = 1, decimal Offset = 0)
{
    /// <summary>More decimals than any sensor delivers; a periodic fraction must end somewhere.</summary>
    const int Decimals = 6;

    /// <summary>All units, in the order of the documentation.</summary>
    public static IReadOnlyList<Unit> All { get; } =
    [
        new("°C", Quantity.Temperature),
        new("°F", Quantity.Temperature, 5, 9, -32),
        new("K", Quantity.Temperature, Offset: -273.15m),
        new("Pa", Quantity.Pressure),
        new("hPa", Quantity.Pressure, 100),
        new("mbar", Quantity.Pressure, 100),
        new("kPa", Quantity.Pressure, 1000),
        new("bar", Quantity.Pressure, 100_000),
        new("inHg", Quantity.Pressure, 3386.389m),
        new("mmHg", Quantity.Pressure, 133.322387415m),
        new("%", Quantity.Share),
        new("ratio", Quantity.Share, 100),
        new("ppm", Quantity.Concentration),
        new("ppb", Quantity.Concentration, 1, 1000),
        new("Ω", Quantity.Resistance),
        new("kΩ", Quantity.Resistance, 1000),
        new("MΩ", Quantity.Resistance, 1_000_000),
        new("W", Quantity.Power),
        new("mW", Quantity.Power, 1, 1000),
        new("kW", Quantity.Power, 1000),
        new("MW", Quantity.Power, 1_000_000),
        new("kWh", Quantity.Energy),
        new("Wh", Quantity.Energy, 1, 1000),
        new("MWh", Quantity.Energy, 1000),
        new("V", Quantity.Voltage),
        new("mV", Quantity.Voltage, 1, 1000),
        new("kV", Quantity.Voltage, 1000),
        new("Hz", Quantity.Frequency),
        new("kHz", Quantity.Frequency, 1000),
    ];

    static readonly Dictionary<string, string> otherNames = new(StringComparer.Ordinal)
    {
        ["C"] = "°C",
        ["℃"] = "°C",
        ["celsius"] = "°C",
        ["F"] = "°F",
        ["℉"] = "°F",
        ["fahrenheit"] = "°F",
        ["kelvin"] = "K",
        ["percent"] = "%",
        ["ohm"] = "Ω",
        ["kohm"] = "kΩ",
        ["Mohm"] = "MΩ",
        // The separate ohm sign, U+2126, which looks the same.
        ["\u2126"] = "Ω",
        ["k\u2126"] = "kΩ",
        ["M\u2126"] = "MΩ",
    };

    /// <returns>Null for an unknown name.</returns>
    public static Unit? Find(string name) =>
        otherNames.TryGetValue(name, out var usual) ? Find(usual) : All.FirstOrDefault(unit => unit.Name == name);

    /// <summary>The names of the units of a quantity.</summary>
    public static string Names(Quantity quantity) =>
        string.Join(", ", All.Where(unit => unit.Quantity == quantity).Select(unit => unit.Name));

    /// <summary>Converts exactly, then rounds to six decimals.</summary>
    /// <param name="value">In this unit.</param>
    /// <param name="target">A unit of the same quantity.</param>
    /// <exception cref="OverflowException">The value is beyond 10^28.</exception>
    public decimal To(Unit target, decimal value)
    {
        if (target == this)
            return value;
        var result = (value + Offset) * (Numerator * target.Denominator) / (Denominator * target.Numerator) - target.Offset;
        return decimal.Round(result, Decimals, MidpointRounding.AwayFromZero);
    }

    /// <summary>Without trailing zeros.</summary>
    public static string Format(decimal value) => (value / 1.000000000000000000000000000000m).ToString(CultureInfo.InvariantCulture);
}
