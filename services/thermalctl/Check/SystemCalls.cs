using System.Buffers.Binary;
using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ThermalStreaming.Thermalctl;

/// <summary>System calls that .NET does not offer.</summary>
static partial class SystemCalls
{
    // struct statx, 256 bytes, is the same on every processor.
    const int StatxBytes = 256;
    const int StatxUser = 20,
        StatxGroup = 24,
        StatxMode = 28,
        StatxSize = 40,
        StatxModified = 112;
    const int StatxBasicStats = 0x7ff;
    const int FromCurrentDirectory = -100;
    const int NoFollow = 0x100;
    const int NotFound = 2;
    const int CloseOnExec = 0x80000;

    const int KindMask = 0xf000,
        RegularFile = 0x8000,
        Directory = 0x4000,
        Link = 0xa000,
        Permissions = 0xfff;

    /// <summary>The id of a file's group; null if its status cannot be read.</summary>
    public static uint? GroupOf(string path)
    {
        Span<byte> status = stackalloc byte[StatxBytes];
        return statx(FromCurrentDirectory, path, 0, StatxBasicStats, status) == 0
            ? BinaryPrimitives.ReadUInt32LittleEndian(status[StatxGroup..])
            : null;
    }

    /// <summary>Reads the status of a file, directory or link; does not follow a link.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="IOException">Its status cannot be read.</exception>
    public static FileStatus StatusOf(string path)
    {
        Span<byte> status = stackalloc byte[StatxBytes];
        if (statx(FromCurrentDirectory, path, NoFollow, StatxBasicStats, status) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            throw error == NotFound
                ? new FileNotFoundException($"{path} is not there", path)
                : new IOException($"{path}: {new Win32Exception(error).Message}");
        }
        var mode = BinaryPrimitives.ReadUInt16LittleEndian(status[StatxMode..]);
        BackupKind? kind = (mode & KindMask) switch
        {
            RegularFile => BackupKind.File,
            Directory => BackupKind.Directory,
            Link => BackupKind.Link,
            _ => null,
        };
        return new FileStatus(
            kind,
            mode & Permissions,
            (int)BinaryPrimitives.ReadUInt32LittleEndian(status[StatxUser..]),
            (int)BinaryPrimitives.ReadUInt32LittleEndian(status[StatxGroup..]),
            (long)BinaryPrimitives.ReadUInt64LittleEndian(status[StatxSize..]),
            BinaryPrimitives.ReadInt64LittleEndian(status[StatxModified..]) * 1_000_000_000
                + BinaryPrimitives.ReadUInt32LittleEndian(status[(StatxModified + 8)..])
        );
    }

    /// <summary>Changes the owner of a file, directory or link; does not follow a link.</summary>
    /// <exception cref="IOException">This process may not.</exception>
    public static void ChangeOwner(string path, int user, int group)
    {
        if (lchown(path, (uint)user, (uint)group) != 0)
            throw new IOException(
                $"{path} cannot be given to user {user}, group {group}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}"
            );
    }

    /// <summary>Opens a file for reading without .NET's lock, which fails for a file that this process has locked.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static SafeFileHandle OpenToRead(string path)
    {
        var handle = open(path, CloseOnExec);
        if (!handle.IsInvalid)
            return handle;
        var error = Marshal.GetLastPInvokeError();
        handle.Dispose();
        throw new IOException($"{path}: {new Win32Exception(error).Message}");
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial SafeFileHandle open(string path, int flags);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int statx(int directory, string path, int flags, uint mask, Span<byte> status);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int lchown(string path, uint user, uint group);
}
