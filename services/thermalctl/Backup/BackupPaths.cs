namespace ThermalStreaming.Thermalctl;

/// <summary>Checks that everything a manifest names stays in its volume, wherever the archive came from.</summary>
static class BackupPaths
{
    /// <exception cref="InvalidDataException">A path leads elsewhere, or its parent is not a directory of the backup.</exception>
    public static void Check(BackupManifest manifest)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var volume in manifest.Volumes)
        {
            if (!IsName(volume.Name) || !names.Add(volume.Name))
                throw new InvalidDataException($"'{volume.Name}' cannot be the name of a volume");
            var directories = new HashSet<string>(StringComparer.Ordinal);
            var paths = new HashSet<string>(StringComparer.Ordinal);
            foreach (var entry in volume.Entries)
            {
                var isRoot = entry.Path.Length == 0;
                if (!isRoot && !entry.Path.Split('/').All(IsName))
                    throw new InvalidDataException($"'{entry.Path}' leads out of {volume.Name}");
                if (isRoot ? entry.Kind != BackupKind.Directory : !directories.Contains(Path.GetDirectoryName(entry.Path)!))
                    throw new InvalidDataException($"the directory of '{entry.Path}' of {volume.Name} is not in the backup");
                if (!paths.Add(entry.Path) || entry.Size < 0 || entry.Mode is < 0 or > 0xfff)
                    throw new InvalidDataException($"'{entry.Path}' of {volume.Name} is listed twice, or its size or mode is invalid");
                if (entry.Kind == BackupKind.Directory)
                    directories.Add(entry.Path);
            }
        }
    }

    static bool IsName(string name) => name is not ("" or "." or "..") && !name.AsSpan().ContainsAny('/', '\0');
}
