using System.Text.Json.Serialization;

namespace ThermalStreaming.Thermalctl;

/// <summary>A file, directory or symbolic link of a volume, as it is to be again.</summary>
/// <param name="Path">From the volume's root, with <c>/</c>; empty for the root itself.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Mode">Permissions, as in <c>chmod</c>.</param>
/// <param name="User">Id of the owner.</param>
/// <param name="Group">Id of the group.</param>
/// <param name="ModifiedNs">When its content was changed last, in nanoseconds since 1970.</param>
/// <param name="Size">Bytes of a file; 0 for anything else.</param>
/// <param name="Sha256">Of a file's content, in hexadecimal digits; empty for anything else.</param>
/// <param name="Target">Of a link; empty for anything else.</param>
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
