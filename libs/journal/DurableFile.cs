using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ThermalStreaming.Journal;

/// <summary>Small files that must survive a power cut whole: the old content or the new, never a mixture and never nothing.</summary>
/// <remarks>Linux only: a directory has no fsync in .NET.</remarks>
public static partial class DurableFile
{
    const int OpenCloseOnExec = 0x80000, ErrnoInterrupted = 4;

    /// <summary>Writes a temporary file beside it, fsyncs it, renames it into place and fsyncs the directory.</summary>
    public static void Replace(string path, ReadOnlySpan<byte> content)
    {
        var temporary = path + ".tmp";
        using (var file = File.OpenHandle(temporary, FileMode.Create, FileAccess.Write))
        {
            RandomAccess.Write(file, content, 0);
            RandomAccess.FlushToDisk(file);
        }
        File.Move(temporary, path, overwrite: true);
        FlushDirectory(Path.GetDirectoryName(path)!);
    }

    /// <summary>fsync of a directory: makes the creations, renames and deletions in it durable.</summary>
    public static void FlushDirectory(string path)
    {
        int descriptor;
        while ((descriptor = Open(path, OpenCloseOnExec, 0)) < 0)
        {
            if (Marshal.GetLastPInvokeError() != ErrnoInterrupted)
                throw new IOException($"open {path}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
        }
        using var directory = new SafeFileHandle(descriptor, ownsHandle: true);
        if (Fsync(directory) != 0)
            throw new IOException($"fsync {path}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
    }

    // The third argument of open(2) is variadic in C; Linux passes it like a named one on x64 and arm64.
    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(SafeFileHandle file);
}
