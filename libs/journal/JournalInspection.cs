using System.Globalization;

namespace ThermalStreaming.Journal;

/// <summary>
/// Reads the files of a journal. Takes no lock and changes nothing, so it works while a service has the journal open. Segments that the
/// service deletes meanwhile are left out.
/// </summary>
sealed class JournalInspection
{
    readonly Disk disk = new();
    readonly List<(long First, string Path, SegmentHeader? Header)> files = [];

    public JournalInspection(string directory)
    {
        Location = directory;
        // Read before the segments are listed, so that the list has every segment that the cursor knows of.
        Epoch = disk.ReadSmall(Path.Combine(directory, EpochFile.Name)) is { } epoch ? EpochFile.Parse(epoch) : null;
        Cursor = JournalFolder.CursorOf(directory, Epoch);
        foreach (var (first, path) in Segment.List(directory))
        {
            // The service may have deleted it since it was listed.
            using var scanner = SegmentScanner.TryOpen(disk, path);
            if (scanner is not null)
                files.Add((first, path, scanner.ReadHeader()));
        }

        Bytes = files.Sum(file => Length(file.Path));
        (QuarantinedFiles, QuarantinedBytes) = Quarantine.Content(directory);
    }

    public string Location { get; }

    public ulong? Epoch { get; }

    public CursorFile? Cursor { get; }

    public int Segments => files.Count;

    public long Bytes { get; }

    public long First => files.Count == 0 ? 0 : files[0].First;

    public long Committed => Math.Max(First, Cursor?.Committed ?? 0);

    /// <summary>Offset just past the last good record that <see cref="Read"/> has come to.</summary>
    public long Next { get; private set; }

    public int QuarantinedFiles { get; }

    public long QuarantinedBytes { get; }

    public long Records { get; private set; }

    public long Readings { get; private set; }

    /// <summary>Readings at or past the cursor that <see cref="Read"/> has come to.</summary>
    public long Backlog { get; private set; }

    /// <summary>When the first reading past the cursor was appended, or up to 10 s before.</summary>
    public DateTimeOffset? OldestUncommitted { get; private set; }

    /// <summary>Bytes behind the last record: an append that is being written, or was cut short when the process ended.</summary>
    public long UnfinishedBytes { get; private set; }

    /// <summary>One sentence for each damage, with file and position.</summary>
    public List<string> Problems { get; } = [];

    /// <summary>The directories with a journal in them, from <paramref name="root"/> down.</summary>
    public static List<string> Find(string root)
    {
        List<string> found = [];
        var pending = new Stack<string>([root]);
        while (pending.TryPop(out var directory))
        {
            if (File.Exists(Path.Combine(directory, EpochFile.Name)) || Directory.EnumerateFiles(directory, "*" + Segment.Extension).Any())
            {
                found.Add(directory);
                continue;
            }

            foreach (var child in Directory.EnumerateDirectories(directory).OrderDescending(StringComparer.Ordinal))
                pending.Push(child);
        }

        return found;
    }

    /// <summary>Reads every record, in order, checks everything on the way, and counts.</summary>
    public IEnumerable<InspectedRecord> Read()
    {
        if (Epoch is null)
            Problems.Add("epoch: missing or damaged");
        var cursorPath = Path.Combine(Location, CursorFile.Name);
        if (File.Exists(cursorPath) && JournalFolder.ReadCursor(cursorPath, Epoch) is null)
            Problems.Add("cursor: damaged, or of another journal");
        for (var i = 0; i < files.Count; i++)
        {
            var (first, path, header) = files[i];
            var name = Path.GetFileName(path);
            if (header is null)
                Problems.Add($"{name}: header damaged");
            else if (header.Value.First != first || (Epoch is { } epoch && header.Value.Epoch != epoch))
                Problems.Add($"{name}: belongs to another journal");

            long? end = i == files.Count - 1 ? null : files[i + 1].Header?.PreviousEnd ?? files[i + 1].First;
            var reading = new SegmentReading(disk, path, Epoch ?? header?.Epoch ?? 0, first, end) { GivenOut = Cursor?.Next ?? 0 };
            foreach (var record in reading.Records())
            {
                Count(record.Offset, record.Count, reading.WallMilliseconds ?? header?.WallMilliseconds);
                yield return new InspectedRecord(record.Offset, record.Count, record.Payload);
            }

            Next = reading.Next;
            UnfinishedBytes = end is null ? reading.UnfinishedBytes : 0;
            foreach (var gap in reading.Gaps)
                Problems.Add(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{name}: damaged from byte {gap.Position} to byte {gap.EndPosition}, {gap.Readings} readings from offset "
                            + $"{gap.Offset} on are missing"
                    )
                );
        }

        // The service may have delivered and deleted even the last segment since it was listed: then later segments were not read.
        var isLastThere = files.Count == 0 || File.Exists(files[^1].Path);
        if (Cursor?.Next > Next && UnfinishedBytes == 0 && isLastThere)
            Problems.Add(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"the last record ends at offset {Next}, yet offsets up to {Cursor?.Next} were assigned"
                )
            );
        if (QuarantinedFiles > 0)
            Problems.Add(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Quarantine.Name}/: {QuarantinedFiles} files, {QuarantinedBytes} bytes, kept from earlier damage"
                )
            );
    }

    void Count(long offset, int count, long? mark)
    {
        Records++;
        Readings += count;
        var open = Math.Min(count, offset + count - Committed);
        if (open <= 0)
            return;
        Backlog += open;
        if (mark is { } milliseconds)
            OldestUncommitted ??= DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
    }

    static long Length(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? file.Length : 0;
    }
}
