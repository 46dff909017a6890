using System.Text.Json.Serialization;

namespace ThermalStreaming.Thermalctl;

/// <summary>A command to Mosquitto's dynamic-security plugin of a running broker.</summary>
sealed record BrokerCommand(
    [property: JsonPropertyName("command")] string Name,
    [property: JsonPropertyName("username")] string? User = null,
    [property: JsonPropertyName("password")] string? Password = null,
    [property: JsonPropertyName("rolename")] string? Role = null,
    [property: JsonPropertyName("acls")] AccessRule[]? Rules = null,
    [property: JsonPropertyName("roles")] RoleName[]? Roles = null
);
