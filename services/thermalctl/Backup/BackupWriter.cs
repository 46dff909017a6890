// The program runs only on Linux.
#pragma warning disable CA1416
using System.Formats.Tar;
using System.IO.Compression;
using System.Reflection;
using System.Text;
using System.Text.Json;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// Makes a backup: a tar archive, compressed with gzip, with a manifest and then every file of the volumes. The services must not be
/// running. Every file is read twice, for the manifest and for the archive, and the archive is read back before it gets its name.
/// </summary>
/// <param name="volumes">The directory in which the volumes are mounted, each under its name.</param>
/// <param name="narrator">Reports the progress.</param>
/// <param name="clock">Time.</param>
sealed class BackupWriter(string volumes, Narrator narrator, TimeProvider clock)
{
    /// <summary>Volumes that a backup leaves out: stand-ins for other people's services, and measurements.</summary>
    static readonly string[] leftOut = ["snowflake-data", "localstack-data", "prometheus-data", "grafana-data"];

    /// <returns>The manifest of the backup.</returns>
    /// <exception cref="FailureException">It cannot be made; the message says why.</exception>
    public BackupManifest Write(string archive, CancellationToken cancellationToken)
    {
        if (File.Exists(archive))
        {
            throw new FailureException(
                $"{Path.GetFileName(archive)} exists already",
                "A backup never replaces a file",
                "name another file, or remove this one"
            );
        }
        var unfinished = $"{archive}.unfinished";
        try
        {
            var names = VolumesIn(volumes);
            foreach (var name in names)
                RestoreMark.Refuse(Path.Combine(volumes, name));
            using var locks = HeldLocks.Take(names.Select(name => Path.Combine(volumes, name)));
            var manifest = Survey(names, cancellationToken);
            Archive(unfinished, manifest, cancellationToken);
            new BackupArchive(unfinished, narrator, clock).Verify(cancellationToken);
            File.Move(unfinished, archive);
            DurableFile.FlushDirectory(Path.GetDirectoryName(Path.GetFullPath(archive))!);
            return manifest;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FailureException(
                "the backup was not made",
                e.Message.ReplaceLineEndings(" "),
                "if the disk is full, free space or name a file on another disk; if a program wrote to a file, stop that "
                    + "program; then run this again"
            );
        }
        finally
        {
            File.Delete(unfinished);
        }
    }

    /// <summary>Names of the volumes that a backup holds.</summary>
    /// <exception cref="FailureException">There are none.</exception>
    static List<string> VolumesIn(string volumes)
    {
        var names = Directory
            .EnumerateDirectories(volumes)
            .Select(path => Path.GetFileName(path))
            .Except(leftOut)
            .Order(StringComparer.Ordinal)
            .ToList();
        return names.Count > 0
            ? names
            : throw new FailureException("there is nothing to back up", "This project has no volume yet", "./up makes them");
    }

    BackupManifest Survey(List<string> names, CancellationToken cancellationToken)
    {
        var progress = new BackupProgress(narrator, clock, "reading", total: null);
        var surveyed = names
            .Select(name => new BackupVolume(name, VolumeSurvey.Read(Path.Combine(volumes, name), progress.Add, cancellationToken)))
            .ToList();
        var identity = Path.Combine(volumes, "mosquitto-authority", "installation");
        return new BackupManifest(
            BackupManifest.CurrentFormat,
            typeof(BackupWriter).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "",
            File.Exists(identity) ? File.ReadAllText(identity).Trim() : "",
            clock.GetUtcNow(),
            UndeliveredReadings.Of(
                Path.Combine(volumes, "sensor-agent-data"),
                Path.Combine(volumes, "snowpipe-forwarder-data"),
                Path.Combine(volumes, "s3-forwarder-data")
            ),
            surveyed
        );
    }

    void Archive(string path, BackupManifest manifest, CancellationToken cancellationToken)
    {
        var progress = new BackupProgress(narrator, clock, "writing", manifest.Bytes);
        File.Delete(path);
        using var file = new FileStream(
            path,
            new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                // The archive holds every key and password of the installation.
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }
        );
        using (var compressed = new GZipStream(file, CompressionLevel.Fastest, leaveOpen: true))
        using (var tar = new TarWriter(compressed, TarEntryFormat.Pax))
        {
            WriteText(tar, BackupManifest.FileName, JsonSerializer.Serialize(manifest, BackupJson.Default.BackupManifest));
            foreach (var volume in manifest.Volumes)
            {
                foreach (var entry in volume.Entries)
                    WriteEntry(tar, volume, entry, progress, cancellationToken);
            }
            WriteText(tar, BackupManifest.EndName, "");
        }
        file.Flush(flushToDisk: true);
    }

    void WriteText(TarWriter tar, string name, string text)
    {
        using var content = new MemoryStream(Encoding.UTF8.GetBytes(text));
        tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = content, ModificationTime = clock.GetUtcNow() });
    }

    void WriteEntry(TarWriter tar, BackupVolume volume, BackupEntry entry, BackupProgress progress, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var type = entry.Kind switch
        {
            BackupKind.File => TarEntryType.RegularFile,
            BackupKind.Directory => TarEntryType.Directory,
            _ => TarEntryType.SymbolicLink,
        };
        var written = new PaxTarEntry(type, BackupManifest.NameOf(volume, entry))
        {
            Mode = (UnixFileMode)entry.Mode,
            Uid = entry.User,
            Gid = entry.Group,
            ModificationTime = DateTimeOffset.UnixEpoch.AddTicks(entry.ModifiedNs / 100),
        };
        if (entry.Kind == BackupKind.Link)
            written.LinkName = BackupManifest.InArchive(entry.Target);
        if (entry.Kind != BackupKind.File)
        {
            tar.WriteEntry(written);
            return;
        }
        var path = Path.Combine(volumes, volume.Name, entry.Path);
        using var content = new MeasuredStream(path, entry.Size, cancellationToken);
        written.DataStream = content;
        tar.WriteEntry(written);
        if (content.Finish() != entry.Sha256)
            throw new IOException($"{path} changed while it was copied: something wrote to it");
        progress.Add(entry.Size);
    }
}
