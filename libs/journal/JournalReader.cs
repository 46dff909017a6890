namespace ThermalStreaming.Journal;

/// <summary>
/// Reads a journal in order, from any offset, while it is being written. Gives only what an fsync has covered. What damage took is stepped over: then an
/// entry's <see cref="JournalEntry.Offset"/> is more than the <see cref="JournalEntry.EndOffset"/> of the one before.
/// </summary>
/// <remarks>For one thread at a time; any number of readers side by side.</remarks>
public sealed class JournalReader : IDisposable
{
    readonly DurableJournal journal;
    readonly Disk disk;
    readonly long from;

    Segment segment;
    SegmentScanner? scanner;
    byte[]? buffer;
    long offset;
    long limit;
    long end;
    long version = -1;
    bool isLast;

    internal JournalReader(DurableJournal journal, Disk disk, long from)
    {
        this.journal = journal;
        this.disk = disk;
        this.from = from;
        segment = journal.SegmentAt(from);
        offset = segment.First;
        Refresh();
    }

    /// <summary>Offset from which on the next entry will be.</summary>
    public long NextOffset => Math.Max(offset, from);

    /// <summary>The next entry, if there is one by now. Its payload is valid until the next call.</summary>
    /// <exception cref="IOException">A file cannot be opened now, because of too many open files for example. Nothing is skipped: call again later.</exception>
    public bool TryRead(out JournalEntry entry)
    {
        while (true)
        {
            if (offset >= end || (scanner is not null && scanner.Position >= limit))
            {
                Refresh();
                if (offset >= end || (scanner is not null && scanner.Position >= limit))
                {
                    if (isLast)
                    {
                        entry = default;
                        return false;
                    }

                    if (offset >= end)
                        MoveOn();
                    else
                        journal.ReportDamage(segment, limit, offset);
                    continue;
                }
            }

            // Without its file: reclaimed since (then there is a later one) or deleted by somebody.
            scanner ??= SegmentScanner.TryOpen(disk, segment.Path, buffer);
            var position = scanner?.Position ?? SegmentHeader.Bytes;
            var count = 0;
            ReadOnlyMemory<byte> payload = default;
            if (scanner?.Read(limit, out count, out payload) != ScanStatus.Frame || offset + count > end)
            {
                journal.ReportDamage(segment, position, offset);
                (limit, end) = (0, 0);
                continue;
            }

            entry = new JournalEntry(offset, count, payload);
            offset += count;
            if (count > 0 && offset > from)
                return true;
        }
    }

    /// <summary>Waits until <see cref="TryRead"/> is worth calling again after it returned false.</summary>
    /// <returns>False once the journal is closed.</returns>
    public ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default) => journal.WaitForChangeAsync(version, cancellationToken);

    public void Dispose() => scanner?.Dispose();

    void Refresh() => (limit, end, isLast, version) = journal.StateOf(segment);

    void MoveOn()
    {
        buffer = scanner?.Buffer ?? buffer;
        scanner?.Dispose();
        scanner = null;
        // The segment is not the last one, so there is a later one; and the last one is never deleted.
        segment = journal.SegmentAfter(segment)!;
        offset = segment.First;
        Refresh();
    }
}
