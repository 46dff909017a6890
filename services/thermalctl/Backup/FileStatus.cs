namespace ThermalStreaming.Thermalctl;

/// <summary>The kernel's data about a file, directory or link itself.</summary>
/// <param name="Kind">Null for a socket, a pipe or a device.</param>
/// <param name="Mode">Permissions, as in <c>chmod</c>.</param>
/// <param name="User">Id of the owner.</param>
/// <param name="Group">Id of the group.</param>
/// <param name="Size">Bytes.</param>
/// <param name="ModifiedNs">When its content last changed, in nanoseconds since 1970.</param>
readonly record struct FileStatus(BackupKind? Kind, int Mode, int User, int Group, long Size, long ModifiedNs);
