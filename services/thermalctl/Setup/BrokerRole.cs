using System.Text.Json.Serialization;

namespace ThermalStreaming.Thermalctl;

/// <summary>A role of Mosquitto's dynamic-security plugin.</summary>
sealed record BrokerRole([property: JsonPropertyName("rolename")] string Name, [property: JsonPropertyName("acls")] AccessRule[] Rules);
