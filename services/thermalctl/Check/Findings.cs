using System.Text.Json.Serialization;

namespace ThermalStreaming.Thermalctl;

/// <summary>What <c>check --json</c> writes.</summary>
/// <param name="Ok">Nothing failed.</param>
/// <param name="Machine">The machine, the settings and the containers.</param>
/// <param name="Services">What each running service found, by the name of its container.</param>
sealed record Findings(
    [property: JsonPropertyName("ok")] bool Ok,
    [property: JsonPropertyName("machine")] IReadOnlyList<Finding> Machine,
    [property: JsonPropertyName("services")] IReadOnlyDictionary<string, IReadOnlyList<Finding>> Services
);
