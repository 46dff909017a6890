using System.Text.Json.Serialization;

namespace ThermalStreaming.Thermalctl;

/// <summary>The figures as a document.</summary>
[JsonSourceGenerationOptions(WriteIndented = true)]
[JsonSerializable(typeof(IReadOnlyList<Figure>))]
sealed partial class FiguresJson : JsonSerializerContext;
