// The program runs only on Linux.
#pragma warning disable CA1416
using ThermalStreaming.Journal;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// Restores a backup into the volumes. Nothing is changed before the whole archive was read and compared with its manifest. From then on
/// the volumes are marked until everything is on disk, and an interrupted restore is repeated from its beginning.
/// </summary>
/// <param name="volumes">The directory in which the volumes are mounted, each under its name. No service may be running.</param>
/// <param name="narrator">Reports the progress.</param>
/// <param name="clock">Time.</param>
sealed class BackupRestore(string volumes, Narrator narrator, TimeProvider clock)
{
    const UnixFileMode UsualMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    const string DoItAgain = "then run this again, with the same backup: until then no service starts";

    /// <returns>The manifest of what was restored.</returns>
    /// <exception cref="FailureException">It cannot be restored, or the person must agree first; the message says why.</exception>
    public BackupManifest Restore(string path, RestoreOptions options, CancellationToken cancellationToken)
    {
        var archive = new BackupArchive(path, narrator, clock);
        var manifest = archive.Verify(cancellationToken);
        var roots = manifest.Volumes.Select(volume => Path.Combine(volumes, volume.Name)).ToList();
        Agree(manifest, roots, options);
        var hasBegun = false;
        try
        {
            using (HeldLocks.Take(roots))
            {
                hasBegun = true;
                RestoreMark.Set(roots, Path.GetFileName(path));
                foreach (var root in roots)
                    Empty(root);
            }
            foreach (var volume in manifest.Volumes)
                MakeDirectories(volume);
            _ = archive.Read(Write, "restoring", cancellationToken);
            foreach (var volume in manifest.Volumes)
                Finish(volume);
            RestoreMark.Remove(roots);
            foreach (var volume in manifest.Volumes)
                SetTime(PathOf(volume, volume.Entries[0]), volume.Entries[0]);
            return manifest;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new FailureException(
                hasBegun ? "the restore was interrupted" : "the volumes cannot be used",
                e.Message.ReplaceLineEndings(" "),
                $"free some space if the disk is full, and look at the disk with ./check; {DoItAgain}"
            );
        }
    }

    /// <summary>Checks everything that must be right, and that the person must agree to, before anything is changed.</summary>
    void Agree(BackupManifest manifest, List<string> roots, RestoreOptions options)
    {
        if (roots.Find(root => !Directory.Exists(root)) is { } missing)
        {
            throw new FailureException(
                $"this installation has no volume {Path.GetFileName(missing)}",
                "The backup has one: it was made with other Compose files",
                "set COMPOSE_FILE in .env as it was there (with the stand-ins: compose.yaml:compose.override.yaml), then run this again"
            );
        }
        if (clock.GetUtcNow() < manifest.MadeAt)
        {
            throw new FailureException(
                $"the clock of this machine says {clock.GetUtcNow():u}, which is before the backup was made ({manifest.MadeAt:u})",
                "Readings are numbered by the time of the restore, so that none gets a number that Snowflake knows already",
                "set the clock (timedatectl), then run this again"
            );
        }
        var isInterrupted = roots.Exists(RestoreMark.IsIn);
        if (!options.Replaces && !isInterrupted && roots.FindAll(HoldsFiles) is { Count: > 0 } used)
        {
            throw new FailureException(
                $"{used.Count} volumes hold data already: {string.Join(", ", used.Select(Path.GetFileName))}",
                "A restore is for a new installation; it would delete the data in these volumes, undelivered readings included",
                "run ./up --reset first, or add --replace if their data is not needed"
            );
        }
        var (outboxes, journals, replay) = manifest.Undelivered;
        if (!options.DeliversAgain && !manifest.Undelivered.IsNone)
        {
            throw new FailureException(
                $"the backup holds readings that were undelivered when it was made: {outboxes} of outboxes, {journals} of the "
                    + $"s3-forwarder's journals, and {replay} files of dead letters to be replayed",
                "A restore delivers them. If the installation has run since the backup was made, it has delivered them too, and they "
                    + "arrive twice",
                "use a backup that holds none, if there is one. Add --undelivered if the installation has not run since, or if arriving "
                    + "twice is better than not at all"
            );
        }
    }

    static bool HoldsFiles(string root) => VolumeTree.Walk(root).Any(path => SystemCalls.StatusOf(path).Kind != BackupKind.Directory);

    static void Empty(string root)
    {
        foreach (var path in Directory.EnumerateFileSystemEntries(root).ToList())
        {
            if (Path.GetFileName(path) == RestoreMark.FileName)
                continue;
            if (SystemCalls.StatusOf(path).Kind == BackupKind.Directory)
                Directory.Delete(path, recursive: true);
            else
                File.Delete(path);
        }
    }

    string PathOf(BackupVolume volume, BackupEntry entry) => Path.Combine(volumes, volume.Name, entry.Path);

    void MakeDirectories(BackupVolume volume)
    {
        // Only this process has access until everything is in them.
        foreach (var entry in volume.Entries.Where(entry => entry is { Kind: BackupKind.Directory, Path.Length: > 0 }))
            Directory.CreateDirectory(PathOf(volume, entry), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    void Write(BackupVolume volume, BackupEntry entry, Stream content)
    {
        using var file = new FileStream(
            PathOf(volume, entry),
            new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
                BufferSize = 0,
            }
        );
        var buffer = new byte[128 * 1024];
        while (content.Read(buffer) is > 0 and var read)
            file.Write(buffer, 0, read);
        Describe(file.Name, entry);
        file.Flush(flushToDisk: true);
    }

    /// <summary>Restores links and directories, and prepares restored journals for use.</summary>
    void Finish(BackupVolume volume)
    {
        foreach (var entry in volume.Entries.Where(entry => entry.Kind == BackupKind.Link))
        {
            File.CreateSymbolicLink(PathOf(volume, entry), entry.Target);
            Own(PathOf(volume, entry), entry);
        }
        foreach (var journal in volume.Entries.Where(IsJournalOfForwarder))
        {
            if (RestoredJournal.Continue(PathOf(volume, journal), clock) is not { } segment)
                continue;
            File.SetUnixFileMode(segment, UsualMode);
            Own(segment, journal);
            using var file = File.OpenHandle(segment, FileMode.Open, FileAccess.ReadWrite);
            RandomAccess.FlushToDisk(file);
        }
        // Bottom up: creating something in a directory changes the directory's time.
        foreach (var entry in volume.Entries.Where(entry => entry.Kind == BackupKind.Directory).Reverse())
        {
            Describe(PathOf(volume, entry), entry);
            DurableFile.FlushDirectory(PathOf(volume, entry));
        }
    }

    static bool IsJournalOfForwarder(BackupEntry entry) =>
        entry.Kind == BackupKind.Directory && entry.Path.Split('/') is ["slots", _, "journal"];

    static void Own(string path, BackupEntry entry)
    {
        var status = SystemCalls.StatusOf(path);
        if (status.User != entry.User || status.Group != entry.Group)
            SystemCalls.ChangeOwner(path, entry.User, entry.Group);
    }

    /// <summary>Owner first: a change of owner clears the set-user-id bit.</summary>
    static void Describe(string path, BackupEntry entry)
    {
        Own(path, entry);
        File.SetUnixFileMode(path, (UnixFileMode)entry.Mode);
        SetTime(path, entry);
    }

    static void SetTime(string path, BackupEntry entry) =>
        File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch.AddTicks(entry.ModifiedNs / 100));
}
