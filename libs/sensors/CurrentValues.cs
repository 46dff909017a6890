namespace ThermalStreaming.Sensors;

/// <summary>The newest values of all sensors together. Null for values that no sensor delivers now.</summary>
public readonly record struct CurrentValues
{
    /// <summary>
    /// Air temperature from an SCD4x, else SHT4x, else BME280 or BMP280, else BME68x; from a DS18B20 if none of these was found since the
    /// start.
    /// </summary>
    public Measurement? Temperature { get; init; }

    /// <summary>Relative humidity from an SCD4x, else SHT4x, else BME280, else BME68x.</summary>
    public Measurement? Humidity { get; init; }

    /// <summary>From an SCD4x.</summary>
    public Measurement? Co2 { get; init; }

    /// <summary>From an ICP-10125, else BME280 or BMP280, else BME68x.</summary>
    public Measurement? Pressure { get; init; }

    /// <summary>From an ICP-10125, which has its own temperature.</summary>
    public Measurement? Barometer { get; init; }

    /// <summary>From an SGP30.</summary>
    public Measurement? Gas { get; init; }

    /// <summary>From a BME68x that has heated its gas sensor.</summary>
    public Measurement? Resistance { get; init; }
}
