namespace ThermalStreaming.Journal;

/// <summary>Inspects and flushes the directory of a journal that another process may have open. Takes no lock.</summary>
public static class JournalFolder
{
    /// <summary>Identity of the journal in a directory; null when there is no journal, or the files do not show its identity.</summary>
    /// <exception cref="IOException">A file cannot be read now.</exception>
    public static string? EpochOf(string directory)
    {
        try
        {
            if (EpochFile.Parse(File.ReadAllBytes(Path.Combine(directory, EpochFile.Name))) is { } epoch)
                return EpochFile.Text(epoch);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // Power was cut while the journal was created, or there is no journal.
        }

        // The last readable header decides, as it does when the journal is opened.
        foreach (var (_, path) in Enumerable.Reverse(Segments(directory)))
        {
            using var scanner = SegmentScanner.TryOpen(new Disk(), path);
            if (scanner?.ReadHeader() is { } header)
                return EpochFile.Text(header.Epoch);
        }

        return null;
    }

    /// <summary>fsyncs every segment, and the directory: a killed process may have written records without reaching their fsync.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    public static void Flush(string directory)
    {
        var disk = new Disk();
        foreach (var (_, path) in Segments(directory))
        {
            try
            {
                using var file = disk.OpenFile(path, create: false);
                disk.Flush(file);
            }
            catch (FileNotFoundException)
            {
                // Its owner has since delivered and deleted it.
            }
        }

        disk.FlushDirectory(directory);
    }

    /// <summary>What the two cursor files of a journal say; null if neither belongs to the journal.</summary>
    /// <param name="directory">The journal's.</param>
    /// <param name="epoch">The journal's identity; null if it is not known, so that any will do.</param>
    /// <exception cref="IOException">A file cannot be read now.</exception>
    internal static CursorFile? CursorOf(string directory, ulong? epoch) =>
        CursorFile.Latest(
            ReadCursor(Path.Combine(directory, CursorFile.Name), epoch),
            ReadCursor(Path.Combine(directory, CursorFile.RecentName), epoch)
        );

    /// <summary>Reads one cursor file; null if it is not there, is damaged, or belongs to another journal.</summary>
    internal static CursorFile? ReadCursor(string path, ulong? epoch) =>
        new Disk().ReadSmall(path) is { } bytes && CursorFile.Parse(bytes) is { } cursor && (epoch is null || cursor.Epoch == epoch)
            ? cursor
            : null;

    static List<(long First, string Path)> Segments(string directory) => Directory.Exists(directory) ? Segment.List(directory) : [];
}
