namespace ThermalStreaming.Sensors;

/// <summary>The type of SCD4x, by bits 15 to 12 of the variant word.</summary>
enum Scd4xVariant
{
    Scd40 = 0,
    Scd41 = 1,
    Scd43 = 5,

    /// <summary>An early sensor that does not know the query, or a type unknown to this version.</summary>
    Unknown = -1,
}
