using System.Globalization;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Journal;

/// <summary>
/// The format of everything in a data directory, one number in its file <c>format</c>. Many files there have no version of their own; a
/// release that changes the meaning of any of them raises this number, so that an earlier one does not start on them. Thread-safe.
/// </summary>
public static class DataFormat
{
    /// <summary>What this release writes, and the latest that it reads.</summary>
    public const int Current = 1;

    const string FileName = "format";

    /// <summary>Call it before anything in the directory is used. Writes the number if there is none yet.</summary>
    /// <param name="directory">The data directory; it need not exist.</param>
    /// <exception cref="ConfigurationException">A later release wrote the directory. Nothing was changed.</exception>
    public static void Check(string directory)
    {
        var path = Path.Combine(directory, FileName);
        if (Read(path) is not { } found)
        {
            Write(path);
            return;
        }
        if (found <= Current)
            return;
        throw new ConfigurationException([
            string.Create(
                CultureInfo.InvariantCulture,
                $"DATA_DIRECTORY is '{directory}', whose files have format {found}; this release knows {Current}. A later release wrote them: "
                    + $"run that one, or restore a backup that was made before the upgrade (docs/operations.md, Upgrade and rollback)."
            ),
        ]);
    }

    /// <returns>Null when there is none, when it is damaged, or while it cannot be read: whichever part needs the files finds
    /// out.</returns>
    static int? Read(string path)
    {
        try
        {
            return
                SmallFile.Open(File.ReadAllBytes(path)) is { } text
                && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var format)
                ? format
                : null;
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            return null;
        }
    }

    static void Write(string path)
    {
        try
        {
            if (Directory.Exists(Path.GetDirectoryName(path)))
                DurableFile.Replace(path, SmallFile.Seal(Current.ToString(CultureInfo.InvariantCulture)));
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            // A full or read-only disk: a later start writes it.
        }
    }
}
