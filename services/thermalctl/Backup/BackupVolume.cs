using System.Text.Json.Serialization;

namespace ThermalStreaming.Thermalctl;

/// <summary>A volume in a backup.</summary>
/// <param name="Name">As the Compose file names it, without the project.</param>
/// <param name="Entries">Its root first, and each directory before its content.</param>
sealed record BackupVolume(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("entries")] IReadOnlyList<BackupEntry> Entries
);
