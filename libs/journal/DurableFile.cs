namespace ThermalStreaming.Journal;

/// <summary>Small files that must survive a power cut whole: the old content or the new, never a mixture and never nothing.</summary>
/// <remarks>Linux only: a directory has no fsync in .NET.</remarks>
public static class DurableFile
{
    static readonly Disk disk = new();

    /// <summary>Writes a temporary file beside it, fsyncs it, renames it into place and fsyncs the directory.</summary>
    public static void Replace(string path, ReadOnlySpan<byte> content) => disk.Replace(path, content, durable: true);

    /// <summary>fsync of a directory: makes the creations, renames and deletions in it durable.</summary>
    public static void FlushDirectory(string path) => disk.FlushDirectory(path);
}
