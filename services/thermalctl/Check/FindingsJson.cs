using System.Text.Json.Serialization;

namespace ThermalStreaming.Thermalctl;

/// <summary>The documents of the verbs <c>check</c>.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Findings))]
[JsonSerializable(typeof(Finding[]))]
sealed partial class FindingsJson : JsonSerializerContext;
