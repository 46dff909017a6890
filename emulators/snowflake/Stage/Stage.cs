using System.Security.Cryptography;
using System.Text;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// Files that clients upload before appending them: <c>stage/</c> in the data directory, one file for each key, named after the key's hash,
/// with the MD5 of the content after the content. An appended file moves to <c>stage/used/</c>, where it stays for a client that repeats
/// its call. Files are deleted by age, and used ones earlier if space is short. Safe for concurrent use.
/// </summary>
sealed class Stage
{
    /// <summary>The bucket that clients see.</summary>
    public const string Bucket = "snowflake-stage";

    /// <summary>Most bytes of one file.</summary>
    public const int MaxFile = 64 * 1024 * 1024;

    /// <summary>How long credentials are valid, and how long a file waits to be appended.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    static readonly TimeSpan KeepUsed = TimeSpan.FromMinutes(10);
    const long MaxBytes = 1024L * 1024 * 1024;
    const int ETagLength = 16;
    const string Part = ".part";

    readonly Lock gate = new();
    readonly DirectoryInfo waiting;
    readonly DirectoryInfo used;
    readonly TimeProvider clock;
    long reserved;

    /// <summary>Opens the stage, and removes uploads that were interrupted when the emulator stopped.</summary>
    /// <exception cref="IOException">The directory cannot be created or read.</exception>
    public Stage(EmulatorSettings settings, TimeProvider clock)
    {
        this.clock = clock;
        waiting = Directory.CreateDirectory(Path.Combine(settings.DataDirectory, "stage"));
        used = waiting.CreateSubdirectory("used");
        foreach (var part in waiting.EnumerateFiles("*" + Part))
            part.Delete();
    }

    /// <summary>Reserves space for an upload.</summary>
    /// <param name="bytes">Its maximum size.</param>
    /// <returns>False if the stage is full; otherwise <see cref="Release"/> must follow.</returns>
    public bool TryReserve(long bytes)
    {
        lock (gate)
        {
            var now = clock.GetUtcNow().UtcDateTime;
            var free = MaxBytes - reserved - Sweep(waiting, now - Lifetime, long.MaxValue);
            free -= Sweep(used, now - KeepUsed, free - bytes);
            if (free < bytes)
                return false;
            reserved += bytes;
            return true;
        }
    }

    /// <summary>Returns what <see cref="TryReserve"/> reserved.</summary>
    public void Release(long bytes)
    {
        lock (gate)
            reserved -= bytes;
    }

    /// <summary>Deletes files older than a time, then the oldest until at most this many bytes are left.</summary>
    /// <returns>Remaining bytes.</returns>
    static long Sweep(DirectoryInfo directory, DateTime oldest, long most)
    {
        var files = directory.GetFiles().Where(f => f.Extension != Part).OrderBy(f => f.LastWriteTimeUtc).ToList();
        var bytes = files.Sum(f => f.Length);
        foreach (var file in files.TakeWhile(f => f.LastWriteTimeUtc < oldest || bytes > most))
        {
            bytes -= file.Length;
            file.Delete();
        }
        return bytes;
    }

    /// <summary>Starts an upload; <see cref="Commit"/> completes it.</summary>
    public FileStream Begin()
    {
        var path = Path.Combine(waiting.FullName, $"{Guid.NewGuid():N}{Part}");
        return new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1);
    }

    /// <summary>Makes an upload the file of its key, replacing any other.</summary>
    /// <param name="upload">The result of <see cref="Begin"/>, with the content written.</param>
    /// <param name="key">The key in the bucket.</param>
    /// <param name="md5">MD5 of the content.</param>
    public void Commit(FileStream upload, string key, byte[] md5)
    {
        upload.Write(md5);
        upload.Dispose();
        File.SetLastWriteTimeUtc(upload.Name, clock.GetUtcNow().UtcDateTime);
        lock (gate)
            File.Move(upload.Name, PathOf(waiting, key), overwrite: true);
    }

    /// <summary>The file of a key; null if there is none.</summary>
    public StagedFile? Find(string key)
    {
        lock (gate)
        {
            foreach (var file in new[] { waiting, used }.Select(d => new FileInfo(PathOf(d, key))))
            {
                if (!file.Exists)
                    continue;
                using var content = file.OpenRead();
                content.Position = file.Length - ETagLength;
                var md5 = new byte[ETagLength];
                content.ReadExactly(md5);
                return new StagedFile(file.FullName, file.Length - ETagLength, Convert.ToHexStringLower(md5));
            }
            return null;
        }
    }

    /// <summary>Reads a part of a file.</summary>
    /// <exception cref="IOException">The file is gone or cannot be read.</exception>
    public static void Read(StagedFile file, long offset, Span<byte> buffer)
    {
        using var content = File.OpenRead(file.Path);
        content.Position = offset;
        content.ReadExactly(buffer);
    }

    /// <summary>Records that all of a file's rows have been appended.</summary>
    public void Used(string key)
    {
        lock (gate)
        {
            var path = PathOf(waiting, key);
            if (!File.Exists(path))
                return;
            File.SetLastWriteTimeUtc(path, clock.GetUtcNow().UtcDateTime);
            File.Move(path, PathOf(used, key), overwrite: true);
        }
    }

    /// <summary>Removes every file.</summary>
    public void Clear()
    {
        lock (gate)
        {
            Sweep(waiting, DateTime.MaxValue, 0);
            Sweep(used, DateTime.MaxValue, 0);
        }
    }

    static string PathOf(DirectoryInfo directory, string key) =>
        Path.Combine(directory.FullName, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key))));
}
