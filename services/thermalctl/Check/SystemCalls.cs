using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace ThermalStreaming.Thermalctl;

/// <summary>What the kernel knows and .NET does not ask.</summary>
static partial class SystemCalls
{
    // struct statx, which is the same on every processor: `stx_gid` is at byte 24 of 256.
    const int StatxBytes = 256;
    const int StatxGroup = 24;
    const int StatxBasicStats = 0x7ff;
    const int FromCurrentDirectory = -100;

    /// <summary>The id of a file's group; null if the file cannot be looked at.</summary>
    public static uint? GroupOf(string path)
    {
        Span<byte> status = stackalloc byte[StatxBytes];
        return statx(FromCurrentDirectory, path, 0, StatxBasicStats, status) == 0
            ? BinaryPrimitives.ReadUInt32LittleEndian(status[StatxGroup..])
            : null;
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int statx(int directory, string path, int flags, uint mask, Span<byte> status);
}
