using System.Text.Json.Serialization;

namespace ThermalStreaming.Thermalctl;

/// <summary>Something that a role of Mosquitto's dynamic-security plugin allows.</summary>
sealed record AccessRule(
    [property: JsonPropertyName("acltype")] string Type,
    [property: JsonPropertyName("topic")] string Topic,
    [property: JsonPropertyName("priority")] int Priority = 0,
    [property: JsonPropertyName("allow")] bool Allow = true
);
