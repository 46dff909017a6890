using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace ThermalStreaming.Journal;

/// <summary>The subdirectory where damaged bytes are kept for a person to look at. Nothing in it is ever read or deleted by the journal.</summary>
public sealed class Quarantine
{
    internal const string Name = "quarantine";

    const int ChunkBytes = 64 * 1024;

    readonly string parent;
    readonly string directory;
    readonly Disk disk;

    internal Quarantine(string parent, Disk disk)
    {
        this.parent = parent;
        this.disk = disk;
        directory = Path.Combine(parent, Name);
    }

    /// <summary>Copies a damaged file here under another name; returns the copy's path. Blocks that cannot be read become zeros in it.</summary>
    public static string KeepCopy(string path, string name)
    {
        var disk = new Disk();
        using var source = disk.OpenFile(path, create: false);
        return new Quarantine(Path.GetDirectoryName(path)!, disk).Copy(source, 0, name);
    }

    internal static (int Files, long Bytes) Content(string journalDirectory)
    {
        var directory = new DirectoryInfo(Path.Combine(journalDirectory, Name));
        if (!directory.Exists)
            return default;
        var files = directory.GetFiles();
        return (files.Length, files.Sum(file => file.Length));
    }

    /// <summary>Moves a whole file here.</summary>
    internal string KeepFile(string path)
    {
        Create();
        var kept = FreePath(Path.GetFileName(path));
        disk.Move(path, kept);
        disk.FlushDirectory(directory);
        disk.FlushDirectory(parent);
        return kept;
    }

    /// <summary>Copies the end of a segment here and cuts it off there. Blocks that cannot be read become zeros in the copy.</summary>
    internal string KeepRest(string path, long position)
    {
        using var source = disk.OpenFile(path, create: false);
        var kept = Copy(source, position, string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileNameWithoutExtension(path)}-{position}.damaged"));
        disk.SetLength(source, position);
        disk.Flush(source);
        return kept;
    }

    string Copy(SafeFileHandle source, long position, string name)
    {
        Create();
        var kept = FreePath(name);
        using (var copy = disk.OpenFile(kept, create: true))
        {
            var chunk = new byte[ChunkBytes];
            for (var at = position; disk.ReadPastDamage(source, chunk, at) is > 0 and var read; at += read)
                disk.Write(copy, chunk.AsSpan(0, read), at - position);
            disk.Flush(copy);
        }

        disk.FlushDirectory(directory);
        return kept;
    }

    /// <summary>Names repeat: a segment can be damaged at one place twice, and a journal that began anew names its files like the old one.</summary>
    string FreePath(string name)
    {
        var path = Path.Combine(directory, name);
        for (var number = 2; File.Exists(path); number++)
            path = Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileNameWithoutExtension(name)}-{number}{Path.GetExtension(name)}"));
        return path;
    }

    void Create()
    {
        if (Directory.Exists(directory))
            return;
        Directory.CreateDirectory(directory);
        disk.FlushDirectory(parent);
    }
}
