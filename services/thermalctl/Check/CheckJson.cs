using System.Text.Json.Serialization;

namespace ThermalStreaming.Thermalctl;

/// <summary>The documents of the verbs <c>check</c>.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CheckDocument))]
[JsonSerializable(typeof(CheckedStep[]))]
sealed partial class CheckJson : JsonSerializerContext;
