using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// An exclusive lock between processes that the kernel gives up when its holder dies, however it dies: flock(2) on a file. It excludes other instances in
/// this process too. Linux only.
/// </summary>
sealed partial class FileLock : IDisposable
{
    const int LockExclusive = 2, LockNonBlocking = 4, LockRelease = 8, ErrnoInterrupted = 4, ErrnoWouldBlock = 11;
    const int OpenReadWrite = 0x2, OpenCreate = 0x40, OpenCloseOnExec = 0x80000, ModeOwnerWrites = 0x1A4;

    FileLock(SafeFileHandle handle) => Handle = handle;

    /// <summary>The locked file; what it holds belongs to whoever has the lock.</summary>
    public SafeFileHandle Handle { get; }

    /// <summary>Opens the file, making it if needed, without taking the lock.</summary>
    /// <remarks>Not File.OpenHandle: that takes a shared flock of its own, which would stand in the way of this one.</remarks>
    public static FileLock Open(string path)
    {
        int descriptor;
        while ((descriptor = OpenDescriptor(path, OpenReadWrite | OpenCreate | OpenCloseOnExec, ModeOwnerWrites)) < 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            if (errno != ErrnoInterrupted)
                throw new IOException($"open {path}: {Marshal.GetPInvokeErrorMessage(errno)}");
        }
        return new(new SafeFileHandle(descriptor, ownsHandle: true));
    }

    /// <summary>Opens the file and takes the lock; null when somebody has it.</summary>
    public static FileLock? TryTake(string path)
    {
        var file = Open(path);
        if (file.TryTake())
            return file;
        file.Dispose();
        return null;
    }

    public bool TryTake() => Call(LockExclusive | LockNonBlocking);

    /// <summary>Waits for the lock. It is held for as long as one group of readings takes to be on disk, so the wait is short.</summary>
    public async Task TakeAsync()
    {
        if (!TryTake())
            await Task.Run(() => Call(LockExclusive));
    }

    public void Release() => Call(LockRelease);

    public void Dispose() => Handle.Dispose();

    bool Call(int operation)
    {
        while (Flock(Handle, operation) != 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            if (errno == ErrnoWouldBlock)
                return false;
            if (errno != ErrnoInterrupted)
                throw new IOException($"flock: {Marshal.GetPInvokeErrorMessage(errno)}");
        }
        return true;
    }

    // The third argument of open(2) is variadic in C; Linux passes it like a named one on x64 and arm64.
    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenDescriptor(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(SafeFileHandle file, int operation);
}
