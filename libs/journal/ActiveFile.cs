using Microsoft.Win32.SafeHandles;

namespace ThermalStreaming.Journal;

/// <summary>The file of a journal's last segment, open for writing. For the writer thread only.</summary>
sealed class ActiveFile(Disk disk, SafeFileHandle file) : IDisposable
{
    bool isTailDirty;

    /// <summary>
    /// Whether the last fsync failed: the kernel may have dropped pages that it could not write, so nothing may be written behind them.
    /// </summary>
    public bool IsInDoubt { get; private set; }

    /// <summary>Creates the file of a new segment and makes its first bytes durable.</summary>
    /// <exception cref="IOException">The disk refused. The file may exist then, and the caller deletes it.</exception>
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

    /// <summary>Writes with one write and one fsync.</summary>
    /// <param name="bytes">What to write.</param>
    /// <param name="position">Where.</param>
    /// <param name="end">Where the file ends now.</param>
    /// <exception cref="IOException">Either failed. The file is cut back to <paramref name="end"/>, now or before the next
    /// write.</exception>
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
            // The next write tries again. If none comes, the next start cuts the file.
        }
    }

    public void Dispose() => file.Dispose();
}
