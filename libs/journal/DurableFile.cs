using Microsoft.Win32.SafeHandles;

namespace ThermalStreaming.Journal;

/// <summary>Small files that must survive a power cut whole: the old content or the new, never a mixture and never nothing.</summary>
/// <remarks>Linux only: a directory has no fsync in .NET.</remarks>
public static class DurableFile
{
    static readonly Disk disk = new();

    /// <summary>Writes a temporary file beside it, fsyncs it, renames it into place and fsyncs the directory.</summary>
    public static void Replace(string path, ReadOnlySpan<byte> content) => disk.Replace(path, content, durable: true);

    /// <summary>Fills the buffer from the file as far as it goes; blocks that the device cannot read become zeros.</summary>
    /// <returns>How many bytes.</returns>
    public static int Read(SafeFileHandle file, Span<byte> buffer, long position) => disk.ReadPastDamage(file, buffer, position);

    /// <summary>fsync of a directory: makes the creations, renames and deletions in it durable.</summary>
    public static void FlushDirectory(string path) => disk.FlushDirectory(path);
}
