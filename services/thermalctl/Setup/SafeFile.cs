using System.Text;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Thermalctl;

/// <summary>Small files that a crash leaves whole, with the old content or the new.</summary>
static class SafeFile
{
    public const UnixFileMode ForOwner = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>For readers under another user id; only they have the volume.</summary>
    public const UnixFileMode ReadOnlyForAll = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>
    /// Writes the text to <paramref name="beside"/> on the same file system, flushes it to disk, and moves it to the file's place.
    /// </summary>
    public static void Write(string path, string text, UnixFileMode mode = ForOwner, string? beside = null)
    {
        beside ??= $"{path}.new";
        WriteToDisk(beside, text, mode);
        Place(beside, path);
    }

    /// <summary>
    /// Writes files that belong together. Each is on disk under a temporary name before the first is moved to its place, in this order. If
    /// the disk takes only some of them, all stay as they were.
    /// </summary>
    public static void WriteTogether(params IReadOnlyList<(string Path, string Text)> files)
    {
        foreach (var (path, text) in files)
            WriteToDisk($"{path}.new", text, ForOwner);
        foreach (var (path, _) in files)
            Place($"{path}.new", path);
    }

    /// <summary>The same, unless the file already has this text. Replaces an unreadable file.</summary>
    public static void WriteIfChanged(string path, string text, UnixFileMode mode = ForOwner, string? beside = null)
    {
        if (ReadIfReadable(path) != text)
            Write(path, text, mode, beside);
    }

    /// <summary>The file's text; empty if there is no such file.</summary>
    /// <exception cref="IOException">The file exists, but the disk refuses to read it.</exception>
    /// <exception cref="UnauthorizedAccessException">The file exists, but this process may not read it.</exception>
    public static string ReadOrEmpty(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return "";
        }
    }

    static void Place(string written, string path)
    {
        File.Move(written, path, overwrite: true);
        DurableFile.FlushDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    static void WriteToDisk(string path, string text, UnixFileMode mode)
    {
        // A file left by a crash may be read-only.
        File.Delete(path);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        // It may be a password: others must never have more rights than its mode says, not even for a moment.
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = ForOwner;
        using (var file = new FileStream(path, options))
        {
            file.Write(Encoding.UTF8.GetBytes(text));
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(file.SafeFileHandle, mode);
            file.Flush(flushToDisk: true);
        }
    }

    static string? ReadIfReadable(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
