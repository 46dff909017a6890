namespace ThermalStreaming.Thermalctl;

/// <summary>Walks through a volume. .NET would follow links to directories, out of the volume and round in circles.</summary>
static class VolumeTree
{
    /// <summary>Paths of everything below a directory, each directory before its content.</summary>
    /// <exception cref="IOException">An entry cannot be read.</exception>
    public static IEnumerable<string> Walk(string root)
    {
        foreach (var path in Directory.EnumerateFileSystemEntries(root).Order(StringComparer.Ordinal).ToList())
        {
            yield return path;
            if (SystemCalls.StatusOf(path).Kind != BackupKind.Directory)
                continue;
            foreach (var below in Walk(path))
                yield return below;
        }
    }
}
