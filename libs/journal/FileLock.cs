using Microsoft.Win32.SafeHandles;

namespace ThermalStreaming.Journal;

/// <summary>
/// An exclusive lock between processes: flock(2) on a file. The kernel releases it when its holder dies, however it dies. It excludes other
/// instances in this process too. Linux only.
/// </summary>
public sealed class FileLock : IDisposable
{
    FileLock(SafeFileHandle handle) => Handle = handle;

    /// <summary>The lock file. Only the holder of the lock may read or write its content.</summary>
    public SafeFileHandle Handle { get; }

    /// <summary>Opens the file for reading and writing without taking the lock. Creates it if needed.</summary>
    /// <exception cref="IOException">It cannot be opened for writing.</exception>
    // Not File.OpenHandle: it takes a shared flock of its own, which would conflict with this one.
    public static FileLock Open(string path) => new(SystemCalls.Open(path, SystemCalls.OpenReadWrite | SystemCalls.OpenCreate));

    /// <summary>
    /// Opens a file that only serves as a lock, without taking the lock. Creates it if needed. On a read-only file system it is opened for
    /// reading, which is enough for the lock.
    /// </summary>
    /// <exception cref="IOException">It cannot be opened or created.</exception>
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

    /// <summary>Opens a file that only serves as a lock, and takes the lock.</summary>
    /// <returns>Null when the lock is held elsewhere.</returns>
    /// <exception cref="IOException">The file cannot be opened or created.</exception>
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

    /// <summary>Takes the lock if it is free.</summary>
    /// <returns>Whether this instance has it now.</returns>
    public bool TryTake() => SystemCalls.Lock(Handle, SystemCalls.LockExclusive | SystemCalls.LockNonBlocking);

    /// <summary>Waits for the lock. Blocks a thread of the pool meanwhile, so it is for locks that are held for a moment.</summary>
    public async Task TakeAsync()
    {
        if (!TryTake())
            await Task.Run(() => SystemCalls.Lock(Handle, SystemCalls.LockExclusive));
    }

    /// <summary>Releases the lock and keeps the file open.</summary>
    public void Release() => SystemCalls.Lock(Handle, SystemCalls.LockRelease);

    /// <summary>Releases the lock and closes the file.</summary>
    public void Dispose()
    {
        // Closing is not enough: a child process that is being started shares the descriptor until its exec.
        if (!Handle.IsClosed)
            Release();
        Handle.Dispose();
    }
}
