using Microsoft.Win32.SafeHandles;

namespace ThermalStreaming.Journal;

/// <summary>The file of a journal's last segment, open for writing. The writer thread's own.</summary>
sealed class ActiveFile(Disk disk, SafeFileHandle file) : IDisposable
{
    bool isTailDirty;

    /// <summary>The last fsync failed: the kernel may have dropped pages that it could not write, so nothing may be put behind them.</summary>
    public bool IsInDoubt { get; private set; }

    /// <summary>Makes the file of a new segment, with its first bytes. When it fails the file may be there, and is nothing.</summary>
    public static ActiveFile Begin(Disk disk, string path, ReadOnlySpan<byte> bytes)
    {
        var file = disk.OpenFile(path, create: true);
        try
        {
            disk.Write(file, bytes, 0);
            disk.Flush(file);
            disk.FlushDirectory(Path.GetDirectoryName(path)!);
            return new ActiveFile(disk, file);
        }
        catch (IOException)
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>One write and one fsync. When either fails the file is cut back.</summary>
    /// <param name="bytes">What to write.</param>
    /// <param name="position">Where.</param>
    /// <param name="end">Where the file ends now.</param>
    public void Write(ReadOnlySpan<byte> bytes, long position, long end)
    {
        if (isTailDirty)
        {
            disk.SetLength(file, end);
            isTailDirty = false;
        }

        var isWritten = false;
        try
        {
            disk.Write(file, bytes, position);
            isWritten = true;
            disk.Flush(file);
            IsInDoubt = false;
        }
        catch (IOException)
        {
            IsInDoubt |= isWritten;
            CutBack(end);
            throw;
        }
    }

    void CutBack(long end)
    {
        isTailDirty = true;
        try
        {
            disk.SetLength(file, end);
            isTailDirty = false;
        }
        catch (IOException)
        {
            // Tried again before the next write here. If there is none, the next start cuts it.
        }
    }

    public void Dispose() => file.Dispose();
}
