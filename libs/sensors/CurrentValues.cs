namespace ThermalStreaming.Sensors;

/// <summary>The newest values of all sensors together. Null is what no sensor delivers now.</summary>
public readonly record struct CurrentValues
{
    /// <summary>
    /// Air temperature: of an SCD4x, else SHT4x, else BME280 or BMP280, else BME68x; of a DS18B20 where none of these was found since the
    /// start.
    /// </summary>
    public Measurement? Temperature { get; init; }

    /// <summary>Relative humidity: of an SCD4x, else SHT4x, else BME280, else BME68x.</summary>
    public Measurement? Humidity { get; init; }

    /// <summary>Of an SCD4x.</summary>
    public Measurement? Co2 { get; init; }

    /// <summary>Of an ICP-10125, else BME280 or BMP280, else BME68x.</summary>
    public Measurement? Pressure { get; init; }

    /// <summary>Of an ICP-10125, which has a temperature of its own.</summary>
    public Measurement? Barometer { get; init; }

    /// <summary>Of an SGP30.</summary>
    public Measurement? Gas { get; init; }

    /// <summary>Of a BME68x that has heated its gas sensor.</summary>
    public Measurement? Resistance { get; init; }
}
