using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// Consecutive readings of a journal, read into memory to be sent. Readings lost to damage are not in it. Valid until the loop that made it
/// asks for the next batch. Not thread-safe.
/// </summary>
/// <param name="journal">The boot id of readings that came without an identity and that its journal was the first to store
/// (<see cref="AssignedIdentity.BootIdOf"/>).</param>
public sealed class Batch(string? journal = null)
{
    /// <summary>
    /// Records are copied into pieces of this size: small enough to stay out of the large object heap, which is collected late.
    /// </summary>
    const int PieceBytes = 64 * 1024;

    readonly List<Slice> slices = [];
    readonly List<byte[]> pieces = [];
    int piece;
    int used;

    /// <summary>First offset.</summary>
    public long FirstOffset { get; internal set; }

    /// <summary>One past the last offset.</summary>
    public long EndOffset { get; internal set; }

    /// <summary>How many readings.</summary>
    public int Count { get; private set; }

    /// <summary>Safe estimate of the rows' size as JSON lines, in bytes.</summary>
    public long EstimatedBytes { get; private set; }

    /// <summary>When the batch was cut.</summary>
    public DateTimeOffset CreatedAt { get; internal set; }

    /// <summary>The readings in order of offset. Each enumeration decodes them again.</summary>
    public IEnumerable<BatchReading> Readings()
    {
        foreach (var slice in slices)
        {
            var payload = StoredPayload.Decode(
                pieces[slice.Piece].AsMemory(slice.Start, slice.Length),
                journal,
                slice.Offset - slice.FirstIndex
            );
            for (var i = 0; i < slice.Count; i++)
                yield return new BatchReading(slice.Offset + i, payload, slice.FirstIndex + i);
        }
    }

    /// <summary>
    /// Removes the records that cannot be decoded: another version stored them, or they were damaged before they were stored. The batch is
    /// then sent without them.
    /// </summary>
    internal List<UnreadableRecord> TakeUnreadable()
    {
        List<UnreadableRecord> unreadable = [];
        slices.RemoveAll(slice =>
        {
            var record = pieces[slice.Piece].AsMemory(slice.Start, slice.Length);
            try
            {
                _ = StoredPayload.Decode(record);
                return false;
            }
            catch (PayloadException e)
            {
                unreadable.Add(new(slice.Offset, slice.Count, slice.Offset - slice.FirstIndex, record, e.Message));
                Count -= slice.Count;
                return true;
            }
        });
        return unreadable;
    }

    internal void Clear(long firstOffset)
    {
        slices.Clear();
        pieces.RemoveAll(large => large.Length > PieceBytes);
        piece = used = 0;
        Count = 0;
        EstimatedBytes = 0;
        FirstOffset = EndOffset = firstOffset;
    }

    internal void Add(ReadOnlySpan<byte> record, long offset, int firstIndex, int count, long estimatedBytes)
    {
        while (piece < pieces.Count && pieces[piece].Length - used < record.Length)
        {
            piece++;
            used = 0;
        }
        if (piece == pieces.Count)
            pieces.Add(new byte[Math.Max(PieceBytes, record.Length)]);
        record.CopyTo(pieces[piece].AsSpan(used));
        slices.Add(new(offset, piece, used, record.Length, firstIndex, count));
        used += record.Length;
        Count += count;
        EstimatedBytes += estimatedBytes;
        EndOffset = offset + count;
    }

    readonly record struct Slice(long Offset, int Piece, int Start, int Length, int FirstIndex, int Count);
}
