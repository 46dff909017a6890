using System.Text.Json.Serialization;

namespace ThermalStreaming.Thermalctl;

/// <summary>What an entry of a volume is.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<BackupKind>))]
enum BackupKind
{
    File,
    Directory,
    Link,
}
