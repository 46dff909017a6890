using System.Text.Json.Serialization;
using ThermalStreaming.Forwarding;

namespace ThermalStreaming.Thermalctl;

/// <summary>The first file of a backup, which describes the others.</summary>
/// <param name="Format">Version of the backup's format.</param>
/// <param name="Version">The release that made it.</param>
/// <param name="Installation">Identity of the installation; empty if it had none yet.</param>
/// <param name="MadeAt">When it was made.</param>
/// <param name="Undelivered">Its readings that no destination was known to have.</param>
/// <param name="Volumes">The volumes, by name.</param>
sealed record BackupManifest(
    [property: JsonPropertyName("format")] int Format,
    [property: JsonPropertyName("version")] string Version,
    [property: JsonPropertyName("installation")] string Installation,
    [property: JsonPropertyName("made_at")] DateTimeOffset MadeAt,
    [property: JsonPropertyName("undelivered")] UndeliveredReadings Undelivered,
    [property: JsonPropertyName("volumes")] IReadOnlyList<BackupVolume> Volumes
)
{
    /// <summary>The version that this program writes, and the latest that it reads.</summary>
    public const int CurrentFormat = 1;

    /// <summary>Its name in the archive.</summary>
    public const string FileName = "manifest.json";

    /// <summary>Name of the last entry: without it the archive was cut off.</summary>
    public const string EndName = "end";

    /// <summary>Bytes of all files.</summary>
    [JsonIgnore]
    public long Bytes => Volumes.Sum(volume => volume.Entries.Sum(entry => entry.Size));

    /// <summary>How many files.</summary>
    [JsonIgnore]
    public int Files => Volumes.Sum(volume => volume.Entries.Count(entry => entry.Kind == BackupKind.File));

    /// <summary>Name of an entry in the archive. For people, and to detect a missing one: the manifest has the true name.</summary>
    public static string NameOf(BackupVolume volume, BackupEntry entry) =>
        InArchive($"volumes/{volume.Name}{(entry.Path.Length > 0 ? $"/{entry.Path}" : "")}");

    /// <summary>A name without the characters that .NET writes into archives but cannot read.</summary>
    public static string InArchive(string name) => string.Concat(name.Select(c => char.IsControl(c) ? '_' : c));
}
