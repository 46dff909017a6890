namespace ThermalStreaming.Thermalctl;

/// <summary>A mounted file system.</summary>
/// <param name="Target">Where it is mounted.</param>
/// <param name="Type">For example ext4.</param>
/// <param name="Source">For example /dev/mmcblk0p2.</param>
/// <param name="Options">Options of the mount, then those of the file system.</param>
sealed record MountPoint(string Target, string Type, string Source, IReadOnlyList<string> Options);
