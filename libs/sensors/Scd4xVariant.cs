namespace ThermalStreaming.Sensors;

/// <summary>Which SCD4x it is, as bits 15 to 12 of the variant word say.</summary>
enum Scd4xVariant
{
    Scd40 = 0,
    Scd41 = 1,
    Scd43 = 5,

    /// <summary>An early sensor that does not know the question, or a type that this version does not know.</summary>
    Unknown = -1,
}
