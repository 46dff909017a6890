using System.Buffers.Binary;
using System.Formats.Tar;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>The files of a container's image.</summary>
sealed class ImageContents
{
    /// <summary>ELF's number for arm64, EM_AARCH64.</summary>
    public const int Arm64 = 183;

    /// <summary>ELF's number for amd64, EM_X86_64.</summary>
    public const int Amd64 = 62;

    /// <summary>File names of shells, package managers and .NET.</summary>
    static readonly HashSet<string> unwanted = new(StringComparer.Ordinal)
    {
        "sh",
        "bash",
        "dash",
        "ash",
        "zsh",
        "busybox",
        "apt",
        "apt-get",
        "dpkg",
        "apk",
        "rpm",
        "dotnet",
        "libcoreclr.so",
        "libclrjit.so",
    };

    readonly Dictionary<string, int> machines = [];

    /// <summary>Bytes of all files together.</summary>
    public long Bytes { get; private set; }

    /// <summary>Shells, package managers and .NET assemblies among the files.</summary>
    public List<string> Unwanted { get; } = [];

    /// <summary>Reads everything in a container's file system; mounts are not part of it.</summary>
    public static async Task<ImageContents> ReadAsync(string container)
    {
        using var directory = new TempDirectory();
        var archive = directory.File("image.tar");
        await Docker.RunAsync("export", "--output", archive, container);
        var contents = new ImageContents();
        await using var stream = File.OpenRead(archive);
        await using var tar = new TarReader(stream);
        while (await tar.GetNextEntryAsync() is { } entry)
            await contents.AddAsync(entry);
        return contents;
    }

    /// <summary>The processor that a program is for, as ELF numbers it.</summary>
    /// <param name="path">Without a slash at its beginning.</param>
    /// <exception cref="KeyNotFoundException">The path is not there or not an ELF file.</exception>
    public int Machine(string path) => machines[path];

    async Task AddAsync(TarEntry entry)
    {
        var name = Path.GetFileName(entry.Name);
        if (entry.EntryType is not TarEntryType.Directory && (unwanted.Contains(name) || name.EndsWith(".dll", StringComparison.Ordinal)))
            Unwanted.Add(entry.Name);
        if (entry.DataStream is null)
            return;
        Bytes += entry.Length;
        // Magic number, class, byte order (little-endian on both processors), …, and the machine at 18.
        var header = new byte[20];
        var read = await entry.DataStream.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false);
        if (read == header.Length && header.AsSpan().StartsWith("\u007fELF"u8))
            machines[entry.Name] = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(18));
    }
}
