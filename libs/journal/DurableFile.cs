using Microsoft.Win32.SafeHandles;

namespace ThermalStreaming.Journal;

/// <summary>Small files that must survive a power cut whole: they hold the old content or the new, never a mixture and never
/// nothing.</summary>
/// <remarks>Linux only, because .NET cannot fsync a directory itself. Thread-safe for different files.</remarks>
public static class DurableFile
{
    static readonly Disk disk = new();

    /// <summary>Writes a temporary file beside it, fsyncs it, renames it into place and fsyncs the directory.</summary>
    /// <param name="path">The file.</param>
    /// <param name="content">The file's new content.</param>
    /// <param name="keepSpare">Keeps a block beside it (<c>{path}.spare</c>) that is written instead when the disk is full.</param>
    /// <exception cref="IOException">The disk refused; the old content is still there.</exception>
    public static void Replace(string path, ReadOnlySpan<byte> content, bool keepSpare = false) =>
        disk.Replace(path, content, durable: true, keepSpare);

    /// <summary>Fills the buffer from the file, up to its end. Blocks that the device cannot read become zeros.</summary>
    /// <returns>How many bytes were filled.</returns>
    public static int Read(SafeFileHandle file, Span<byte> buffer, long position) => disk.ReadPastDamage(file, buffer, position);

    /// <summary>fsync of a directory: makes the creations, renames and deletions in it durable.</summary>
    public static void FlushDirectory(string path) => disk.FlushDirectory(path);
}
