using System.Text.Json.Serialization;

namespace ThermalStreaming.Thermalctl;

/// <summary>The figures of a service, over all its replicas. Null for values that it does not count, or does not report now.</summary>
/// <param name="Service">Its Compose service.</param>
/// <param name="State">Its health, or its state if it has none; with several replicas, how many are in each.</param>
/// <param name="ReadingsIn">Readings that it took since its start.</param>
/// <param name="Committed">Readings that are permanently stored at the next hop.</param>
/// <param name="Objects">Objects in the bucket, or uploaded since the start.</param>
/// <param name="LagSeconds">Age of the oldest reading that is not committed.</param>
/// <param name="Tables">Rows of each table in Snowflake's stand-in.</param>
sealed record Figure(
    [property: JsonPropertyName("service")] string Service,
    [property: JsonPropertyName("state")] string State,
    [property: JsonPropertyName("readings_in")] long? ReadingsIn,
    [property: JsonPropertyName("committed")] long? Committed,
    [property: JsonPropertyName("objects")] long? Objects,
    [property: JsonPropertyName("lag_seconds")] double? LagSeconds,
    [property: JsonPropertyName("tables")] IReadOnlyDictionary<string, long>? Tables = null
);
