using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ThermalStreaming.Journal;

/// <summary>System calls that .NET does not offer. Linux, x64 and arm64.</summary>
static partial class SystemCalls
{
    public const int OpenReadOnly = 0x0,
        OpenReadWrite = 0x2,
        OpenCreate = 0x40;
    public const int LockExclusive = 2,
        LockNonBlocking = 4,
        LockRelease = 8;

    const int OpenCloseOnExec = 0x80000,
        ErrnoInterrupted = 4,
        ErrnoWouldBlock = 11;

    /// <summary>open(2), which also opens directories, and takes no flock, unlike .NET.</summary>
    public static SafeFileHandle Open(string path, int flags)
    {
        const int mode = 0x1A4; // rw-r--r--
        int descriptor;
        while ((descriptor = OpenDescriptor(path, flags | OpenCloseOnExec, mode)) < 0)
        {
            if (Marshal.GetLastPInvokeError() != ErrnoInterrupted)
                throw Failure($"open {path}");
        }

        return new SafeFileHandle(descriptor, ownsHandle: true);
    }

    /// <summary>fsync of a directory: makes the creations, renames and deletions in it durable.</summary>
    public static void FlushDirectory(string path)
    {
        using var directory = Open(path, 0);
        if (Fsync(directory) != 0)
            throw Failure($"fsync {path}");
    }

    /// <summary>Exchanges the names of two files of one directory, atomically for other processes.</summary>
    public static void Exchange(string one, string other)
    {
        const int currentDirectory = -100,
            exchange = 2;
        if (RenameAt(currentDirectory, one, currentDirectory, other, exchange) != 0)
            throw Failure($"exchange {one} and {other}");
    }

    /// <summary>flock(2). False when the lock is held elsewhere and the call may not wait.</summary>
    public static bool Lock(SafeFileHandle file, int operation)
    {
        while (Flock(file, operation) != 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            if (errno == ErrnoWouldBlock)
                return false;
            if (errno != ErrnoInterrupted)
                throw Failure("flock");
        }

        return true;
    }

    // Like the framework's own exceptions: the result code is the error number.
    static IOException Failure(string call)
    {
        var errno = Marshal.GetLastPInvokeError();
        return new($"{call}: {Marshal.GetPInvokeErrorMessage(errno)}", errno);
    }

    // The third argument of open(2) is variadic in C. On Linux, x64 and arm64 pass it like a named one.
    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenDescriptor(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameAt(int oldDirectory, string oldPath, int newDirectory, string newPath, uint flags);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(SafeFileHandle file, int operation);
}
