using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl;

/// <summary>Reads a backup.</summary>
/// <param name="path">The archive.</param>
/// <param name="narrator">Reports the progress.</param>
/// <param name="clock">Time.</param>
sealed class BackupArchive(string path, Narrator narrator, TimeProvider clock)
{
    /// <summary>The manifest has some 300 bytes per file, and an installation has some hundreds of files.</summary>
    const int LongestManifest = 256 << 20;

    string Name => Path.GetFileName(path);

    /// <summary>Reads the whole archive, changing nothing, and compares every byte with the manifest.</summary>
    /// <exception cref="FailureException">This program cannot restore it; the message says why.</exception>
    public BackupManifest Verify(CancellationToken cancellationToken)
    {
        try
        {
            using var file = File.OpenRead(path);
            // First the archive's own checksum: in a damaged archive, its reader may do anything.
            using (var compressed = new GZipStream(file, CompressionMode.Decompress, leaveOpen: true))
                CopyAll(compressed, Stream.Null, cancellationToken);
            return Read((_, _, content) => CopyAll(content, Stream.Null, cancellationToken), "checking", cancellationToken);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FailureException($"there is no backup {Name}", e.Message, "name a file that ./up --backup made");
        }
        catch (Exception e) when (IsDamage(e))
        {
            throw Damaged(e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FailureException($"{Name} cannot be read", e.Message.ReplaceLineEndings(" "), "look at the disk that holds it");
        }
    }

    /// <summary>Passes on the content of every file, in the order of the manifest.</summary>
    /// <param name="take">Called with the volume, the file and its content.</param>
    /// <param name="doing">The current work, for people.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    public BackupManifest Read(Action<BackupVolume, BackupEntry, Stream> take, string doing, CancellationToken cancellationToken)
    {
        using var file = File.OpenRead(path);
        using var compressed = new GZipStream(file, CompressionMode.Decompress);
        using var tar = new TarReader(compressed);
        var manifest = ReadManifest(tar);
        var progress = new BackupProgress(narrator, clock, doing, manifest.Bytes);
        foreach (var volume in manifest.Volumes)
        {
            foreach (var entry in volume.Entries)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var found = Next(tar, BackupManifest.NameOf(volume, entry));
                if (entry.Kind != BackupKind.File)
                    continue;
                using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
                using var content = new HashedStream(found.DataStream ?? Stream.Null, hash);
                take(volume, entry, content);
                if (content.Length != entry.Size || Convert.ToHexStringLower(hash.GetHashAndReset()) != entry.Sha256)
                    throw new InvalidDataException($"{found.Name} does not match the manifest");
                progress.Add(entry.Size);
            }
        }
        _ = Next(tar, BackupManifest.EndName);
        return manifest;
    }

    static TarEntry Next(TarReader tar, string name) =>
        tar.GetNextEntry() is { } entry
            ? entry.Name.TrimEnd('/') == name
                ? entry
                : throw new InvalidDataException($"{entry.Name} comes where {name} should be")
            : throw new EndOfStreamException($"the file ends before {name}");

    BackupManifest ReadManifest(TarReader tar)
    {
        var entry = Next(tar, BackupManifest.FileName);
        if (entry.Length > LongestManifest)
            throw new InvalidDataException($"the manifest is too long: {entry.Length} bytes");
        using var text = new MemoryStream();
        entry.DataStream?.CopyTo(text);
        text.Position = 0;
        // Its version first: the rest may be in a later release's format.
        using (var document = JsonDocument.Parse(text))
        {
            if (document.RootElement.GetProperty("format").GetInt32() is > BackupManifest.CurrentFormat and var format)
            {
                throw new FailureException(
                    $"{Name} has format version {format}",
                    $"A later release made it; this program can read version {BackupManifest.CurrentFormat}",
                    $"restore it with release {document.RootElement.GetProperty("version").GetString()} or a later one",
                    ExitCodes.BadConfiguration
                );
            }
        }
        text.Position = 0;
        var manifest =
            JsonSerializer.Deserialize(text, BackupJson.Default.BackupManifest) ?? throw new InvalidDataException("the manifest is empty");
        BackupPaths.Check(manifest);
        return manifest;
    }

    static void CopyAll(Stream from, Stream to, CancellationToken cancellationToken)
    {
        var buffer = new byte[128 * 1024];
        while (from.Read(buffer) is > 0 and var read)
        {
            cancellationToken.ThrowIfCancellationRequested();
            to.Write(buffer, 0, read);
        }
    }

    /// <summary>Exceptions that the readers of archives and of JSON throw for damaged bytes.</summary>
    static bool IsDamage(Exception e) =>
        e
            is InvalidDataException
                or EndOfStreamException
                or JsonException
                or FormatException
                or ArgumentException
                or OverflowException
                or KeyNotFoundException
                or InvalidOperationException
                or NotSupportedException;

    FailureException Damaged(string why) =>
        new($"{Name} is damaged, or not a backup", why.ReplaceLineEndings(" "), "use another backup; nothing was changed here");
}
