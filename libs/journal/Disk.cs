using Microsoft.Win32.SafeHandles;

namespace ThermalStreaming.Journal;

/// <summary>The system calls by which a journal changes its directory, in one place so that tests can make each of them fail or stop.</summary>
class Disk
{
    const int BlockBytes = 4096;

    long flushes;
    long bytesWritten;

    /// <summary>fsync calls so far, of files and directories.</summary>
    public long Flushes => Interlocked.Read(ref flushes);

    /// <summary>Bytes handed to write calls so far.</summary>
    public long BytesWritten => Interlocked.Read(ref bytesWritten);

    /// <summary>Opens a file for reading and writing; <paramref name="create"/> makes it, or empties it if it is there.</summary>
    public virtual SafeFileHandle OpenFile(string path, bool create) =>
        File.OpenHandle(path, create ? FileMode.Create : FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);

    /// <summary>Opens a file for reading, while others write to it or delete it.</summary>
    public virtual SafeFileHandle OpenToRead(string path) => File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    public virtual void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long position)
    {
        RandomAccess.Write(file, bytes, position);
        Interlocked.Add(ref bytesWritten, bytes.Length);
    }

    public virtual int Read(SafeFileHandle file, Span<byte> buffer, long position) => RandomAccess.Read(file, buffer, position);

    /// <summary>Fills the buffer from the file as far as it goes; blocks that the device cannot read become zeros.</summary>
    /// <returns>How many bytes.</returns>
    public int ReadPastDamage(SafeFileHandle file, Span<byte> buffer, long position)
    {
        var length = (int)Math.Clamp(RandomAccess.GetLength(file) - position, 0, buffer.Length);
        for (var at = 0; at < length;)
        {
            // Up to the next block boundary, because a bad sector takes its whole block with it.
            var block = buffer[at..Math.Min(length, at + BlockBytes - (int)((position + at) % BlockBytes))];
            block.Clear();
            try
            {
                var read = 0;
                while (read < block.Length && Read(file, block[read..], position + at + read) is > 0 and var more)
                    read += more;
            }
            catch (IOException)
            {
                // Left as zeros.
            }

            at += block.Length;
        }

        return length;
    }

    public virtual void SetLength(SafeFileHandle file, long length) => RandomAccess.SetLength(file, length);

    /// <summary>fsync. When it fails, what was written since the last one may be gone although a later fsync succeeds: write it again.</summary>
    public virtual void Flush(SafeFileHandle file)
    {
        Interlocked.Increment(ref flushes);
        RandomAccess.FlushToDisk(file);
    }

    /// <summary>fsync of a directory: makes the creations, renames and deletions in it durable.</summary>
    public virtual void FlushDirectory(string path)
    {
        Interlocked.Increment(ref flushes);
        SystemCalls.FlushDirectory(path);
    }

    public virtual void Move(string from, string to) => File.Move(from, to, overwrite: true);

    public virtual void Delete(string path) => File.Delete(path);

    /// <summary>Free space to leave to others on the file system that holds <paramref name="directory"/>, in bytes.</summary>
    /// <remarks>Of a small file system (a tmpfs, a small partition) the reserve may not ask for more than a tenth.</remarks>
    public virtual long ReserveOf(string directory, long wanted) => Math.Min(wanted, new DriveInfo(directory).TotalSize / 10);

    /// <summary>Bytes an unprivileged process may still write to the file system that holds <paramref name="directory"/>.</summary>
    public virtual long FreeBytes(string directory) => new DriveInfo(directory).AvailableFreeSpace;

    /// <summary>
    /// Replaces a small file so that a reader, and a machine that starts again after a power cut, finds the old content or the new.
    /// </summary>
    /// <remarks>
    /// Without <c>durable</c> the replacement is atomic for other processes but reaches the disk when the kernel pleases; after a power cut the
    /// old content may be back, or (on file systems without ext4's auto_da_alloc) an empty file.
    /// </remarks>
    public void Replace(string path, ReadOnlySpan<byte> content, bool durable)
    {
        var temporary = path + ".tmp";
        using (var file = OpenFile(temporary, create: true))
        {
            Write(file, content, 0);
            if (durable)
                Flush(file);
        }

        Move(temporary, path);
        if (durable)
            FlushDirectory(Path.GetDirectoryName(path)!);
    }
}
