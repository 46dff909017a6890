using System.Text.Json.Serialization;

namespace ThermalStreaming.Thermalctl;

/// <summary>A permission in a role of Mosquitto's dynamic-security plugin.</summary>
sealed record AccessRule(
    [property: JsonPropertyName("acltype")] string Type,
    [property: JsonPropertyName("topic")] string Topic,
    [property: JsonPropertyName("priority")] int Priority = 0,
    [property: JsonPropertyName("allow")] bool Allow = true
);
