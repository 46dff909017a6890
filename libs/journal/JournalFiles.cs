using System.Globalization;

namespace ThermalStreaming.Journal;

/// <summary>Reads the files of a journal that another process may have open, or had open when it died. Takes no lock and changes nothing.</summary>
public static class JournalFiles
{
    /// <summary>
    /// The records from <paramref name="from"/> on of the journal of that epoch, as far as they are whole; each payload is valid until the next one is asked
    /// for. Nothing for a directory that is not there or holds another epoch.
    /// </summary>
    /// <exception cref="IOException">A file cannot be opened now; what is in it is not skipped.</exception>
    public static IEnumerable<JournalEntry> Read(string directory, string epoch, long from)
    {
        if (!Directory.Exists(directory) || !ulong.TryParse(epoch, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var wanted))
            yield break;
        var disk = new Disk();
        var files = Directory.EnumerateFiles(directory, "*" + Segment.Extension).Order(StringComparer.Ordinal).ToList();
        for (var i = 0; i < files.Count; i++)
        {
            // The next file's name says where this one ends: most need not be opened.
            if (i + 1 < files.Count && long.TryParse(Path.GetFileNameWithoutExtension(files[i + 1]), CultureInfo.InvariantCulture, out var next) && next <= from)
                continue;
            using var scanner = SegmentScanner.TryOpen(disk, files[i]);
            if (scanner?.ReadHeader() is not { } header || header.Epoch != wanted)
                continue;
            var offset = header.First;
            while (scanner.Read(scanner.FileLength, out var count, out var payload) == ScanStatus.Frame)
            {
                if (count > 0 && offset + count > from)
                    yield return new JournalEntry(offset, count, payload);
                offset += count;
            }
        }
    }
}
