namespace ThermalStreaming.Journal;

/// <summary>
/// Reads the files of a journal that another process may have open, or had open when it died. Takes no lock and changes nothing.
/// </summary>
public static class JournalFiles
{
    static readonly UnreadableSince unreadable = new(TimeProvider.System);

    /// <summary>
    /// The records of the journal with that epoch from <paramref name="from"/> on, in order. Damage is skipped. Each payload is valid until
    /// the next one is asked for. A directory that does not exist, or holds another epoch, gives nothing.
    /// </summary>
    /// <exception cref="IOException">A file cannot be opened or read now; its records are not skipped. Only bytes that the device could not
    /// read for 30 s are skipped, as by the journal's own readers.</exception>
    public static IEnumerable<JournalEntry> Read(string directory, string epoch, long from)
    {
        var disk = new Disk();
        if (!EpochFile.TryParseText(epoch, out var wanted) || !disk.Exists(directory))
            yield break;
        // Read before the segments, so that it knows of no offset that they do not have yet.
        var givenOut = JournalFolder.CursorOf(directory, wanted)?.Next ?? 0;
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
            var reading = new SegmentReading(disk, files[i].Path, wanted, files[i].First, end)
            {
                SkipUnreadable = unreadable.MaySkip(files[i].Path),
                GivenOut = givenOut,
            };
            using var records = reading.Records().GetEnumerator();
            while (TryMove(records, files[i].Path))
            {
                if (records.Current.EndOffset > from)
                    yield return records.Current;
            }
        }
    }

    static bool TryMove(IEnumerator<JournalEntry> records, string path)
    {
        try
        {
            var isThere = records.MoveNext();
            if (!isThere)
                unreadable.Note(path, problem: null);
            return isThere;
        }
        catch (IOException e) when (DiskError.IsMedium(e))
        {
            unreadable.Note(path, e);
            throw;
        }
    }

    static (SegmentHeader? Header, bool IsGone) HeaderOf(Disk disk, string path)
    {
        using var scanner = SegmentScanner.TryOpen(disk, path);
        return (scanner?.ReadHeader(), scanner is null);
    }
}
