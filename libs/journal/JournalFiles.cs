namespace ThermalStreaming.Journal;

/// <summary>Reads the files of a journal that another process may have open, or had open when it died. Takes no lock and changes nothing.</summary>
public static class JournalFiles
{
    /// <summary>
    /// The records from <paramref name="from"/> on of the journal of that epoch, in order; damage is stepped over. Each payload is valid until the next one is
    /// asked for. Nothing for a directory that does not exist or holds another epoch.
    /// </summary>
    /// <exception cref="IOException">A file cannot be opened or read now; what is in it is not skipped.</exception>
    public static IEnumerable<JournalEntry> Read(string directory, string epoch, long from)
    {
        var disk = new Disk();
        if (!EpochFile.TryParseText(epoch, out var wanted) || !disk.Exists(directory))
            yield break;
        var files = Segment.List(directory);
        var headers = files.ConvertAll(file => HeaderOf(disk, file.Path));
        for (var i = 0; i < files.Count; i++)
        {
            // A damaged header says nothing; the file is in this journal's directory and is read like the others.
            if (headers[i].IsGone || headers[i].Header is { } header && (header.Epoch != wanted || header.First != files[i].First))
                continue;
            long? end = i + 1 == files.Count ? null : headers[i + 1].Header?.PreviousEnd ?? files[i + 1].First;
            if (end <= from)
                continue;
            foreach (var record in new SegmentReading(disk, files[i].Path, wanted, files[i].First, end).Records())
            {
                if (record.EndOffset > from)
                    yield return record;
            }
        }
    }

    static (SegmentHeader? Header, bool IsGone) HeaderOf(Disk disk, string path)
    {
        using var scanner = SegmentScanner.TryOpen(disk, path);
        return (scanner?.ReadHeader(), scanner is null);
    }
}
