using Microsoft.Win32.SafeHandles;

namespace ThermalStreaming.Journal;

/// <summary>The system calls by which a journal changes its directory, in one place so that tests can make each one fail or stop.</summary>
class Disk
{
    const int BlockBytes = 4096;
    const string SpareExtension = ".spare";

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
    public virtual SafeFileHandle OpenToRead(string path) =>
        File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    public virtual void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long position)
    {
        RandomAccess.Write(file, bytes, position);
        Interlocked.Add(ref bytesWritten, bytes.Length);
    }

    public virtual int Read(SafeFileHandle file, Span<byte> buffer, long position) => RandomAccess.Read(file, buffer, position);

    /// <summary>Fills the buffer from the file, up to its end. Blocks that the device cannot read become zeros.</summary>
    /// <param name="file">The file.</param>
    /// <param name="buffer">Where the bytes go.</param>
    /// <param name="position">Where they are.</param>
    /// <param name="unreadable">Called with each block that cannot be read.</param>
    /// <returns>How many bytes were filled.</returns>
    public int ReadPastDamage(SafeFileHandle file, Span<byte> buffer, long position, Action<(long From, long To)>? unreadable = null)
    {
        var length = (int)Math.Clamp(RandomAccess.GetLength(file) - position, 0, buffer.Length);
        for (var at = 0; at < length; )
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
            catch (IOException e) when (DiskError.IsMedium(e) || unreadable is null)
            {
                block.Clear();
                unreadable?.Invoke((position + at, position + at + block.Length));
            }

            at += block.Length;
        }

        return length;
    }

    public virtual void SetLength(SafeFileHandle file, long length) => RandomAccess.SetLength(file, length);

    /// <summary>
    /// fsync. If it fails, bytes written since the last one may be lost even if a later fsync succeeds: write them again.
    /// </summary>
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

    /// <summary>Exchanges the names of two files of one directory.</summary>
    public virtual void Exchange(string one, string other) => SystemCalls.Exchange(one, other);

    public virtual void Delete(string path) => File.Delete(path);

    /// <summary>Reads a small file; null if it does not exist.</summary>
    /// <exception cref="IOException">It cannot be read now, which says nothing about what is in it.</exception>
    public virtual byte[]? ReadSmall(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Whether there is such a file or directory. <c>File.Exists</c> says no even when it cannot find out.</summary>
    /// <exception cref="IOException">The file system does not answer now.</exception>
    public virtual bool Exists(string path)
    {
        try
        {
            _ = File.GetAttributes(path);
            return true;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }

    /// <summary>
    /// Bytes to leave free on the file system that holds <paramref name="directory"/>: <paramref name="wanted"/>, but at most a tenth of
    /// it.
    /// </summary>
    public virtual long ReserveOf(string directory, long wanted) => Math.Min(wanted, new DriveInfo(directory).TotalSize / 10);

    /// <summary>Bytes an unprivileged process may still write to the file system that holds <paramref name="directory"/>.</summary>
    public virtual long FreeBytes(string directory) => new DriveInfo(directory).AvailableFreeSpace;

    /// <summary>
    /// Replaces a small file so that a reader, or a machine that restarts after a power cut, finds the old content or the new.
    /// </summary>
    /// <remarks>
    /// Without <c>durable</c> the replacement is atomic for other processes, but reaches the disk at some later time. After a power cut the
    /// old content may be back, or there may be (on file systems without ext4's auto_da_alloc) an empty file.
    /// </remarks>
    /// <param name="path">The file.</param>
    /// <param name="content">The file's new content.</param>
    /// <param name="durable">Whether it is on disk when this returns.</param>
    /// <param name="keepSpare">Keeps <c>{path}.spare</c>, a block that is written instead when the disk is full: for files that must be
    /// replaced before space can be freed. Only with <paramref name="durable"/>.</param>
    /// <exception cref="IOException">The disk refused; the old content is still there.</exception>
    public void Replace(string path, ReadOnlySpan<byte> content, bool durable, bool keepSpare = false)
    {
        var temporary = path + ".tmp";
        try
        {
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
        catch (IOException e) when (keepSpare && DiskError.IsFull(e) && Exists(path + SpareExtension))
        {
            ReplaceBySpare(path, content);
            return;
        }

        if (keepSpare && !Exists(path + SpareExtension))
            MakeSpare(path + SpareExtension, content.Length);
    }

    void ReplaceBySpare(string path, ReadOnlySpan<byte> content)
    {
        var (spare, directory) = (path + SpareExtension, Path.GetDirectoryName(path)!);
        // The spare may be what the file was before the last exchange: that exchange must be on disk before it is overwritten.
        FlushDirectory(directory);
        using (var file = OpenFile(spare, create: false))
        {
            Write(file, content, 0);
            SetLength(file, content.Length);
            Flush(file);
        }

        Exchange(spare, path);
        FlushDirectory(directory);
    }

    void MakeSpare(string spare, int length)
    {
        try
        {
            using var file = OpenFile(spare, create: true);
            Write(file, new byte[(length + BlockBytes - 1) / BlockBytes * BlockBytes], 0);
            Flush(file);
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            // The next replacement tries again.
        }
    }
}
