using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// How many dead letters the files hold, including those of earlier processes and other replicas. A file is read again only when it has
/// changed. Thread-safe.
/// </summary>
/// <param name="directory">Of the dead letters.</param>
sealed class KeptLetters(string directory)
{
    readonly Lock gate = new();
    Dictionary<string, (long Length, DateTime WrittenAt, long Letters)> files = new(StringComparer.Ordinal);

    /// <summary>The present number; while the disk refuses, the last known one.</summary>
    public long Count
    {
        get
        {
            lock (gate)
            {
                try
                {
                    Look();
                }
                catch (Exception e) when (DiskError.IsFileProblem(e))
                {
                    // Writing letters reports such a disk.
                }
                return files.Values.Sum(file => file.Letters);
            }
        }
    }

    void Look()
    {
        var now = new Dictionary<string, (long, DateTime, long)>(StringComparer.Ordinal);
        foreach (var path in DeadLetters.Files(directory))
        {
            var info = new FileInfo(path);
            // It may be replayed or deleted at any time.
            if (!info.Exists)
                continue;
            var (length, writtenAt) = (info.Length, info.LastWriteTimeUtc);
            now[path] =
                files.TryGetValue(path, out var known) && (known.Length, known.WrittenAt) == (length, writtenAt)
                    ? known
                    : (length, writtenAt, DeadLetterShelf.CountIn(path));
        }
        files = now;
    }
}
