using System.Text.Json.Serialization;

namespace ThermalStreaming.Thermalctl;

/// <summary>A user name in the configuration of Mosquitto's dynamic-security plugin.</summary>
sealed record BrokerLogin(
    [property: JsonPropertyName("username")] string Name,
    [property: JsonPropertyName("password")] string Hash,
    [property: JsonPropertyName("salt")] string Salt,
    [property: JsonPropertyName("iterations")] int Iterations,
    [property: JsonPropertyName("roles")] RoleName[] Roles
);
