namespace ThermalStreaming.Thermalctl;

/// <summary>Lists the content of a volume, and reads every file once.</summary>
static class VolumeSurvey
{
    /// <summary>Everything in a volume, each directory before its content, sorted by name.</summary>
    /// <param name="root">The volume's directory.</param>
    /// <param name="read">Called with the size of each file that was read.</param>
    /// <param name="cancellationToken">Ends the survey.</param>
    /// <exception cref="FailureException">An entry is neither file, directory nor link.</exception>
    /// <exception cref="IOException">An entry cannot be read.</exception>
    public static IReadOnlyList<BackupEntry> Read(string root, Action<long> read, CancellationToken cancellationToken)
    {
        var entries = new List<BackupEntry>();
        Add("");
        return entries;

        void Add(string path)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var full = Path.Combine(root, path);
            var status = SystemCalls.StatusOf(full);
            var kind =
                status.Kind
                ?? throw new FailureException(
                    $"{full} cannot be backed up",
                    "It is a socket, a pipe or a device, and no service of this project makes one in a volume",
                    "move it out of the volume, then run this again"
                );
            entries.Add(
                new BackupEntry(
                    path,
                    kind,
                    status.Mode,
                    status.User,
                    status.Group,
                    status.ModifiedNs,
                    kind == BackupKind.File ? status.Size : 0,
                    kind == BackupKind.File ? HashOf(full, status, cancellationToken) : "",
                    kind == BackupKind.Link ? new FileInfo(full).LinkTarget ?? "" : ""
                )
            );
            read(kind == BackupKind.File ? status.Size : 0);
            if (kind != BackupKind.Directory)
                return;
            foreach (var child in Directory.EnumerateFileSystemEntries(full).Order(StringComparer.Ordinal).ToList())
                Add(Path.GetRelativePath(root, child));
        }
    }

    static string HashOf(string path, FileStatus status, CancellationToken cancellationToken)
    {
        using var file = new MeasuredStream(path, status.Size, cancellationToken);
        file.CopyTo(Stream.Null);
        return file.Finish();
    }
}
