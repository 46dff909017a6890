using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding;

/// <summary>Cuts a journal into batches. Not thread-safe.</summary>
sealed class BatchReader(DurableJournal journal, long position, TimeProvider clock) : IDisposable
{
    readonly JournalReader reader = journal.OpenReader(position);
    long next = position;

    // A record that did not fit into the last batch, or fitted only in part. Its bytes are valid until the reader's next read.
    JournalEntry held;
    bool isHeld;
    long firstSeen;

    /// <summary>When the first reading of the growing batch was seen; meaningful while the batch is not empty.</summary>
    public long FirstSeen => firstSeen;

    /// <summary>
    /// Adds readings of the journal to the batch, as long as they fit. True when it is full: a limit or <paramref name="batchEnd"/> is
    /// reached.
    /// </summary>
    /// <param name="batch">Empty, or the batch that the last call left unfilled.</param>
    /// <param name="limits">Where to cut.</param>
    /// <param name="batchEnd">When set, the only limit: one past the batch's last offset.</param>
    /// <exception cref="IOException">The journal cannot be read now. Call again: the batch keeps what it has, and nothing is
    /// skipped.</exception>
    public bool Fill(Batch batch, BatchLimits limits, long? batchEnd)
    {
        while (isHeld || reader.TryRead(out held))
        {
            isHeld = true;
            var record = held.Payload.Span;
            // Damage may have cost the readings in between; the batch then spans the gap.
            var from = Math.Max(next, held.Offset);
            if (from >= held.EndOffset)
            {
                isHeld = false;
                continue;
            }
            if (batch.Count == 0)
                firstSeen = clock.GetTimestamp();
            var room = batchEnd is { } end
                ? (int)Math.Max(0, end - from)
                : Room(batch, limits, JournalPayload.EstimateRowBytes(record, held.Count, 1));
            var taken = (int)Math.Min(held.EndOffset - from, room);
            if (taken > 0)
            {
                batch.Add(record, from, (int)(from - held.Offset), taken, JournalPayload.EstimateRowBytes(record, held.Count, taken));
                next = from + taken;
            }
            if (next < held.EndOffset)
                return batchEnd is null || CutAt(batch, batchEnd.Value);
            isHeld = false;
            if (batchEnd == next)
                return true;
        }
        return batchEnd is not null && journal.NextOffset >= batchEnd && CutAt(batch, batchEnd.Value);
    }

    /// <summary>Waits until the journal has more.</summary>
    public ValueTask<bool> WaitAsync(CancellationToken cancellationToken) => reader.WaitToReadAsync(cancellationToken);

    public void Dispose() => reader.Dispose();

    static int Room(Batch batch, BatchLimits limits, long rowBytes)
    {
        var byCount = limits.MaxReadings - batch.Count;
        var byBytes = (limits.MaxBytes - batch.EstimatedBytes) / rowBytes;
        // A single reading that is larger than the limit goes alone: the sink decides about it.
        return (int)Math.Min(byCount, batch.Count == 0 ? Math.Max(1, byBytes) : byBytes);
    }

    bool CutAt(Batch batch, long end)
    {
        batch.EndOffset = end;
        next = end;
        return true;
    }
}
