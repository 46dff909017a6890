namespace ThermalStreaming.Mappings;

/// <summary>What a unit measures. Values of one quantity can be converted into each other.</summary>
enum Quantity
{
    Temperature,
    Pressure,

    /// <summary>A part of a whole.</summary>
    Share,

    /// <summary>A gas in the air, by volume.</summary>
    Concentration,
    Resistance,
    Power,
    Energy,
    Voltage,
    Frequency,
}
