// There is no other system than Linux.
#pragma warning disable CA1416
using System.Globalization;
using System.Security.Cryptography;
using ThermalStreaming.Journal;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>Directories in the place of the volumes of an installation and of a new one, with everything that a volume may hold.</summary>
public abstract class BackupTestBase : IDisposable
{
    private protected readonly TempDirectory directory = new();
    private protected readonly HookedClock clock = new();
    private protected readonly StringWriter said = new() { NewLine = "\n" };

    protected BackupTestBase()
    {
        foreach (var volume in new[] { "mosquitto-authority", "snowpipe-forwarder-data", "s3-forwarder-data", "control-cli" })
        {
            Directory.CreateDirectory(Path.Combine(Old, volume));
            Directory.CreateDirectory(Path.Combine(New, volume));
        }
    }

    protected string Old => directory.File("old");

    protected string New => directory.File("new");

    protected string Archive => directory.File("thermal.backup");

    /// <summary>Only root can give files to others.</summary>
    static bool IsRoot => Environment.IsPrivilegedProcess;

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        directory.Dispose();
    }

    private protected BackupManifest Backup(CancellationToken cancellationToken = default) =>
        new BackupWriter(Old, Narrator, clock).Write(Archive, cancellationToken);

    private protected BackupManifest Restore(
        bool replaces = false,
        bool deliversAgain = false,
        string? volumes = null,
        CancellationToken cancellationToken = default
    ) =>
        new BackupRestore(volumes ?? New, Narrator, clock).Restore(Archive, new RestoreOptions(replaces, deliversAgain), cancellationToken);

    private protected Narrator Narrator => new(said, said, isInteractive: false);

    /// <summary>Files, directories and links of every odd kind.</summary>
    protected void FillOld()
    {
        Write("mosquitto-authority/installation", "0123abcd\n", mode: 0x180, owner: 1883);
        Write("mosquitto-authority/ca.key", "secret\n", mode: 0x100, owner: 1883);
        Write("s3-forwarder-data/a name with  spaces", "1");
        Write("s3-forwarder-data/-rf", "2");
        Write("s3-forwarder-data/ä\n日本\\'\"", "3");
        Write($"s3-forwarder-data/{new string('x', 200)}", "4");
        Write($"s3-forwarder-data/{string.Join('/', Enumerable.Repeat("deep", 40))}/file", "5");
        Write("s3-forwarder-data/empty", "");
        Write("s3-forwarder-data/set-id", "x", mode: 0x9ed);
        Write("s3-forwarder-data/for-nobody", "x", mode: 0);
        Directory.CreateDirectory(Path.Combine(Old, "s3-forwarder-data/empty directory"));
        File.SetUnixFileMode(Path.Combine(Old, "s3-forwarder-data/empty directory"), (UnixFileMode)0x1c0);
        File.CreateSymbolicLink(Path.Combine(Old, "s3-forwarder-data/link"), "/nowhere/at all");
        File.CreateSymbolicLink(Path.Combine(Old, "s3-forwarder-data/up"), "..");
        var random = new byte[1_000_000];
        new Random(1).NextBytes(random);
        File.WriteAllBytes(Path.Combine(Old, "snowpipe-forwarder-data/large"), random);
        using (var sparse = File.Create(Path.Combine(Old, "snowpipe-forwarder-data/sparse")))
        {
            sparse.SetLength(5_000_000);
            sparse.Position = 3_000_000;
            sparse.WriteByte(1);
        }
        File.SetLastWriteTimeUtc(
            Path.Combine(Old, "snowpipe-forwarder-data/large"),
            new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc).AddTicks(1_234_567)
        );
        foreach (var volume in Directory.GetDirectories(Old))
        {
            File.SetUnixFileMode(volume, (UnixFileMode)0x1c8);
            if (IsRoot)
                SystemCalls.ChangeOwner(volume, 1654, 1654);
        }
    }

    protected void Write(string name, string text, int mode = 0x1a4, int owner = 1654)
    {
        var path = Path.Combine(Old, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        if (IsRoot)
            SystemCalls.ChangeOwner(path, owner, owner);
        File.SetUnixFileMode(path, (UnixFileMode)mode);
    }

    /// <summary>
    /// All files below a directory. Links are not followed: one of a volume leads round in circles, which the kernel ends after 40 times, or
    /// earlier where it had to look twice.
    /// </summary>
    protected static string[] FilesIn(string root) =>
        Directory.GetFiles(
            root,
            "*",
            new EnumerationOptions
            {
                RecurseSubdirectories = true,
                AttributesToSkip = FileAttributes.ReparsePoint,
                IgnoreInaccessible = false,
            }
        );

    /// <summary>All that can be seen of every file, directory and link.</summary>
    protected static SortedDictionary<string, string> Snapshot(string root) =>
        new(VolumeTree.Walk(root).ToDictionary(path => Path.GetRelativePath(root, path), Describe), StringComparer.Ordinal);

    private protected JournalOptions Journal(string name) => new() { Directory = Path.Combine(Old, name), FreeSpaceReserveBytes = 0 };

    static string Describe(string path)
    {
        var status = SystemCalls.StatusOf(path);
        var content = status.Kind switch
        {
            BackupKind.File => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path))),
            BackupKind.Link => new FileInfo(path).LinkTarget,
            _ => "",
        };
        // A link has no permissions, and its own time is nobody's business. .NET sets times to 100 ns.
        return status.Kind == BackupKind.Link
            ? string.Create(CultureInfo.InvariantCulture, $"link {status.User}:{status.Group} -> {content}")
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{status.Kind} {status.Mode:x} {status.User}:{status.Group} {status.ModifiedNs / 100} {content}"
            );
    }
}
