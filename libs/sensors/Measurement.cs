namespace ThermalStreaming.Sensors;

/// <summary>
/// The values that a sensor measured at one instant. Null for values that it does not measure, or did not deliver. Immutable.
/// </summary>
public sealed record Measurement
{
    /// <summary>The sensor, for example <c>scd4x@1:62</c>.</summary>
    public required string Sensor { get; init; }

    /// <summary>The sensor's kind alone, for example <c>scd4x</c>.</summary>
    public string Kind => Sensor[..Sensor.IndexOf('@', StringComparison.Ordinal)];

    /// <summary>Time of the measurement: a timestamp of the monotonic clock.</summary>
    public required long Timestamp { get; init; }

    /// <summary>How long it counts as current.</summary>
    public required TimeSpan MaxAge { get; init; }

    /// <summary>
    /// The sensor's own numbers before any conversion, to detect a sensor that repeats itself; null for a sensor that may rightly do so.
    /// </summary>
    public required UInt128? Raw { get; init; }

    /// <summary>What is odd about it.</summary>
    public Quality Quality { get; init; }

    /// <summary>°C, −55 to 125.</summary>
    public double? TemperatureC { get; init; }

    /// <summary>Relative humidity, %, 0 to 100.</summary>
    public double? HumidityPercent { get; init; }

    /// <summary>Carbon dioxide, ppm, 1 to 40,000.</summary>
    public double? Co2Ppm { get; init; }

    /// <summary>Absolute pressure, Pa, 25,000 to 115,000.</summary>
    public double? PressurePa { get; init; }

    /// <summary>Equivalent carbon dioxide, ppm, 400 to 60,000: an estimate from hydrogen.</summary>
    public double? EquivalentCo2Ppm { get; init; }

    /// <summary>Total volatile organic compounds, ppb, 0 to 60,000.</summary>
    public double? TvocPpb { get; init; }

    /// <summary>Resistance of the heated gas sensor, Ω.</summary>
    public double? GasResistanceOhm { get; init; }
}
