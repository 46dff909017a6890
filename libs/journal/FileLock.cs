using Microsoft.Win32.SafeHandles;

namespace ThermalStreaming.Journal;

/// <summary>
/// An exclusive lock between processes that the kernel gives up when its holder dies, however it dies: flock(2) on a file. It excludes other instances in
/// this process too. Linux only.
/// </summary>
public sealed class FileLock : IDisposable
{
    FileLock(SafeFileHandle handle) => Handle = handle;

    /// <summary>The locked file; what it holds belongs to whoever has the lock.</summary>
    public SafeFileHandle Handle { get; }

    /// <summary>Opens the file for reading and writing, making it if needed, without taking the lock.</summary>
    /// <exception cref="IOException">It cannot be opened for writing.</exception>
    // Not File.OpenHandle: that takes a shared flock of its own, which would stand in the way of this one.
    public static FileLock Open(string path) => new(SystemCalls.Open(path, SystemCalls.OpenReadWrite | SystemCalls.OpenCreate));

    /// <summary>
    /// Opens a file in which nothing is written, making it if needed, without taking the lock. On a file system that is read-only it is opened for reading: the
    /// lock works just the same.
    /// </summary>
    /// <exception cref="IOException">It cannot be opened, or cannot be made.</exception>
    public static FileLock OpenToHold(string path)
    {
        try
        {
            return Open(path);
        }
        catch (IOException e) when (DiskError.IsReadOnly(e))
        {
            return new(SystemCalls.Open(path, SystemCalls.OpenReadOnly));
        }
    }

    /// <summary>Opens a file in which nothing is written, and takes the lock; null when somebody has it.</summary>
    /// <exception cref="IOException">The file cannot be opened, or cannot be made.</exception>
    public static FileLock? TryTake(string path)
    {
        var file = OpenToHold(path);
        try
        {
            if (file.TryTake())
                return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
        file.Dispose();
        return null;
    }

    /// <summary>Takes the lock unless somebody has it.</summary>
    public bool TryTake() => SystemCalls.Lock(Handle, SystemCalls.LockExclusive | SystemCalls.LockNonBlocking);

    /// <summary>Waits for the lock, on a thread of the pool: for locks that are held for a moment.</summary>
    public async Task TakeAsync()
    {
        if (!TryTake())
            await Task.Run(() => SystemCalls.Lock(Handle, SystemCalls.LockExclusive));
    }

    /// <summary>Gives the lock up and keeps the file open.</summary>
    public void Release() => SystemCalls.Lock(Handle, SystemCalls.LockRelease);

    /// <summary>Gives the lock up and closes the file.</summary>
    public void Dispose()
    {
        // Closing is not enough: a child that this process is about to start has the descriptor too, until its exec.
        if (!Handle.IsClosed)
            Release();
        Handle.Dispose();
    }
}
