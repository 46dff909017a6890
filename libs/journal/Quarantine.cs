using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace ThermalStreaming.Journal;

/// <summary>
/// The subdirectory where damaged bytes are kept. A running service neither reads nor deletes anything in it. <c>journal recover</c> puts
/// the whole records in it back into the journal, and moves their files to <c>quarantine/recovered/</c>.
/// </summary>
public sealed class Quarantine
{
    internal const string Name = "quarantine",
        RecoveredName = "recovered";

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

    /// <summary>Copies a damaged file here under another name; returns the copy's path. Blocks that cannot be read become zeros.</summary>
    public static string KeepCopy(string path, string name)
    {
        var disk = new Disk();
        using var source = disk.OpenToRead(path);
        return new Quarantine(Path.GetDirectoryName(path)!, disk).Copy(source, name);
    }

    /// <summary>Files in the quarantine of a journal that may be open elsewhere.</summary>
    public static int Count(string journalDirectory) => Content(journalDirectory).Files;

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

    /// <summary>Copies a part of a segment here, unless the same copy is here already. Blocks that cannot be read become zeros.</summary>
    internal string KeepPart(string path, long position, long end)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileNameWithoutExtension(path)}-{position}.damaged");
        var bytes = new byte[end - position];
        int length;
        using (var source = disk.OpenToRead(path))
            length = disk.ReadPastDamage(source, bytes, position);
        var known = Path.Combine(directory, name);
        if (disk.Exists(known) && disk.ReadSmall(known) is { } before && before.AsSpan().SequenceEqual(bytes.AsSpan(0, length)))
            return known;
        Create();
        var kept = FreePath(name);
        using (var copy = disk.OpenFile(kept, create: true))
        {
            disk.Write(copy, bytes.AsSpan(0, length), 0);
            disk.Flush(copy);
        }

        disk.FlushDirectory(directory);
        return kept;
    }

    string Copy(SafeFileHandle source, string name)
    {
        Create();
        var kept = FreePath(name);
        using (var copy = disk.OpenFile(kept, create: true))
        {
            var chunk = new byte[ChunkBytes];
            for (var at = 0L; disk.ReadPastDamage(source, chunk, at) is > 0 and var read; at += read)
                disk.Write(copy, chunk.AsSpan(0, read), at);
            disk.Flush(copy);
        }

        disk.FlushDirectory(directory);
        return kept;
    }

    /// <summary>
    /// An unused path. Names repeat: a segment can be damaged twice at one place, and a journal that began again names its files like the
    /// old one.
    /// </summary>
    string FreePath(string name)
    {
        var path = Path.Combine(directory, name);
        for (var number = 2; File.Exists(path); number++)
            path = Path.Combine(
                directory,
                string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileNameWithoutExtension(name)}-{number}{Path.GetExtension(name)}")
            );
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
