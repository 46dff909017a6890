using System.Text.Json.Serialization;

namespace ThermalStreaming.Thermalctl;

/// <summary>How a manifest is written and read.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(BackupManifest))]
sealed partial class BackupJson : JsonSerializerContext;
