using System.Text.Json.Serialization;

namespace ThermalStreaming.Thermalctl;

/// <summary>The body of a refusal by Docker Engine.</summary>
sealed record EngineProblem([property: JsonPropertyName("message")] string Message);
