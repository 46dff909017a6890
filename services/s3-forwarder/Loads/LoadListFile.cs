using System.Buffers;
using ThermalStreaming.Journal;

namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// The <see cref="LoadList"/> of a volume, shared by its replicas and by the verb <c>loads</c>. A batch costs one append with one fsync;
/// the whole file is written only when an object was settled. Thread-safe.
/// </summary>
/// <param name="directory">The data directory.</param>
sealed class LoadListFile(string directory)
{
    /// <summary>Beyond this size nothing is appended: something prevents the list from shrinking.</summary>
    const long MostBytes = 16 << 20;

    /// <summary>How long to wait for the lock: several fsyncs of a slow card, but no longer, because a delivery waits too.</summary>
    static readonly TimeSpan patience = TimeSpan.FromSeconds(10),
        pause = TimeSpan.FromMilliseconds(10);

    public string Path { get; } = System.IO.Path.Combine(directory, "loads");

    /// <summary>Held by the replica that asks Snowflake, as long as it runs.</summary>
    public string LeaderPath => Path + ".leader";

    /// <summary>Appends objects. They are on disk when the call returns.</summary>
    /// <exception cref="IOException">
    /// The disk refused, the file is full, or another process holds the lock; some objects may be in the list.
    /// </exception>
    public async Task AppendAsync(IReadOnlyCollection<WatchedFile> files)
    {
        var lines = new ArrayBufferWriter<byte>();
        LoadList.Write(lines, files);
        using var held = await TakeAsync();
        var isNew = !File.Exists(Path);
        using (var file = File.OpenHandle(Path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            var end = RandomAccess.GetLength(file);
            if (end + lines.WrittenCount > MostBytes)
                throw new IOException($"{Path} has {end} bytes, which is its maximum");
            // A line cut by a power failure must not swallow the next one.
            if (end > 0 && !EndsLine(file, end))
                RandomAccess.Write(file, "\n"u8, end++);
            RandomAccess.Write(file, lines.WrittenSpan, end);
            RandomAccess.FlushToDisk(file);
        }
        if (isNew)
            DurableFile.FlushDirectory(directory);
    }

    /// <summary>Reads the list.</summary>
    /// <exception cref="IOException">It cannot be read now.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public LoadList Read()
    {
        try
        {
            return LoadList.Parse(File.ReadAllBytes(Path));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return new LoadList();
        }
    }

    /// <summary>Changes the list. The change is on disk when the call returns.</summary>
    /// <param name="change">Returns whether it changed anything.</param>
    /// <exception cref="IOException">The disk refused, or another process holds the lock; the list is unchanged.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public async Task<LoadList> UpdateAsync(Func<LoadList, bool> change)
    {
        using var held = await TakeAsync();
        var list = Read();
        if (change(list))
            DurableFile.Replace(Path, list.ToBytes());
        return list;
    }

    static bool EndsLine(Microsoft.Win32.SafeHandles.SafeFileHandle file, long end)
    {
        Span<byte> last = stackalloc byte[1];
        return RandomAccess.Read(file, last, end - 1) == 1 && last[0] == (byte)'\n';
    }

    /// <exception cref="IOException">
    /// The lock file cannot be created, or another process holds it. Since that takes milliseconds, that process must be frozen.
    /// </exception>
    async Task<FileLock> TakeAsync()
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            if (FileLock.TryTake(Path + ".lock") is { } held)
                return held;
            if (TimeProvider.System.GetElapsedTime(began) > patience)
                throw new IOException($"another process has held {Path}.lock for {patience.TotalSeconds:0} s; is it frozen or paused?");
            await Task.Delay(pause, TimeProvider.System);
        }
    }
}
