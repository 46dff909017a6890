using System.Text.Json.Serialization;

namespace ThermalStreaming.Thermalctl;

/// <summary>The output of <c>check --json</c>.</summary>
/// <param name="Ok">Whether nothing failed.</param>
/// <param name="Machine">The machine, the settings and the containers.</param>
/// <param name="Services">The findings of each running service, by the name of its container.</param>
sealed record CheckDocument(
    [property: JsonPropertyName("ok")] bool Ok,
    [property: JsonPropertyName("machine")] IReadOnlyList<CheckedStep> Machine,
    [property: JsonPropertyName("services")] IReadOnlyDictionary<string, IReadOnlyList<CheckedStep>> Services
);
