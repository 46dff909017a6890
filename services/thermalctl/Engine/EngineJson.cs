using System.Text.Json.Serialization;

namespace ThermalStreaming.Thermalctl;

/// <summary>The documents of Docker Engine's API that this program reads and writes.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(EngineVersion))]
[JsonSerializable(typeof(EngineInfo))]
[JsonSerializable(typeof(EngineProblem))]
[JsonSerializable(typeof(ContainerSummary[]))]
[JsonSerializable(typeof(ContainerDetails))]
[JsonSerializable(typeof(ImageSummary[]))]
[JsonSerializable(typeof(CreatedObject))]
[JsonSerializable(typeof(ExecRequest))]
[JsonSerializable(typeof(ExecStart))]
[JsonSerializable(typeof(ExecDetails))]
[JsonSerializable(typeof(WaitAnswer))]
sealed partial class EngineJson : JsonSerializerContext;
