using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace ThermalStreaming.Journal;

/// <summary>The subdirectory where damaged bytes are kept for a person to look at. Nothing in it is ever read or deleted by the journal.</summary>
sealed class Quarantine(string journalDirectory, Disk disk)
{
    public const string Name = "quarantine";

    const int BlockBytes = 4096;

    readonly string directory = Path.Combine(journalDirectory, Name);

    public static (int Files, long Bytes) Content(string journalDirectory)
    {
        var directory = new DirectoryInfo(Path.Combine(journalDirectory, Name));
        if (!directory.Exists)
            return default;
        var files = directory.GetFiles();
        return (files.Length, files.Sum(file => file.Length));
    }

    /// <summary>Moves a whole file here.</summary>
    public string KeepFile(string path)
    {
        Create();
        var kept = Path.Combine(directory, Path.GetFileName(path));
        disk.Move(path, kept);
        disk.FlushDirectory(directory);
        disk.FlushDirectory(journalDirectory);
        return kept;
    }

    /// <summary>Copies the end of a segment here and cuts it off there. Blocks that cannot be read become zeros in the copy.</summary>
    public string KeepRest(string path, long position)
    {
        Create();
        var kept = Path.Combine(
            directory,
            string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileNameWithoutExtension(path)}-{position}.damaged"));
        using var source = disk.OpenFile(path, create: false);
        using (var copy = disk.OpenFile(kept, create: true))
        {
            var length = RandomAccess.GetLength(source);
            var block = new byte[BlockBytes];
            for (var at = position; at < length;)
            {
                // Up to the next block boundary, because a bad sector takes its whole block with it.
                var size = (int)Math.Min(BlockBytes - at % BlockBytes, length - at);
                disk.Write(copy, ReadBlock(source, block.AsSpan(0, size), at), at - position);
                at += size;
            }

            disk.Flush(copy);
        }

        disk.FlushDirectory(directory);
        disk.SetLength(source, position);
        disk.Flush(source);
        return kept;
    }

    ReadOnlySpan<byte> ReadBlock(SafeFileHandle source, Span<byte> block, long at)
    {
        block.Clear();
        try
        {
            var read = 0;
            while (read < block.Length && disk.Read(source, block[read..], at + read) is var more and > 0)
                read += more;
        }
        catch (IOException)
        {
            // Left as zeros: what cannot be read cannot be kept.
        }

        return block;
    }

    void Create()
    {
        if (Directory.Exists(directory))
            return;
        Directory.CreateDirectory(directory);
        disk.FlushDirectory(journalDirectory);
    }
}
