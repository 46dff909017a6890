using System.Text.Json.Serialization;

namespace ThermalStreaming.Thermalctl;

/// <summary>A file, directory or symbolic link of a volume, as it must be after a restore.</summary>
/// <param name="Path">Path from the volume's root, with <c>/</c>; empty for the root itself.</param>
/// <param name="Kind">File, directory or link.</param>
/// <param name="Mode">Permissions, as in <c>chmod</c>.</param>
/// <param name="User">Id of the owner.</param>
/// <param name="Group">Id of the group.</param>
/// <param name="ModifiedNs">When its content last changed, in nanoseconds since 1970.</param>
/// <param name="Size">Bytes of a file; otherwise 0.</param>
/// <param name="Sha256">Hash of a file's content, in hexadecimal digits; otherwise empty.</param>
/// <param name="Target">Target of a link; otherwise empty.</param>
sealed record BackupEntry(
    [property: JsonPropertyName("path")] string Path,
    [property: JsonPropertyName("kind")] BackupKind Kind,
    [property: JsonPropertyName("mode")] int Mode,
    [property: JsonPropertyName("user")] int User,
    [property: JsonPropertyName("group")] int Group,
    [property: JsonPropertyName("modified_ns")] long ModifiedNs,
    [property: JsonPropertyName("size")] long Size,
    [property: JsonPropertyName("sha256")] string Sha256,
    [property: JsonPropertyName("target")] string Target
);
