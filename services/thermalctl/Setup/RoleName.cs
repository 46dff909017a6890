using System.Text.Json.Serialization;

namespace ThermalStreaming.Thermalctl;

/// <summary>A role that a user has.</summary>
sealed record RoleName([property: JsonPropertyName("rolename")] string Name);
