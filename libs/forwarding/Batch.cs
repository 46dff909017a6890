using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// Consecutive readings of a journal, read into memory to be sent. Offsets that a damaged journal could not give back are simply not among them.
/// Valid until the loop that made it asks for the next one. Not thread-safe.
/// </summary>
public sealed class Batch
{
    readonly List<Slice> slices = [];
    byte[] bytes = [];
    int used;

    /// <summary>First offset.</summary>
    public long FirstOffset { get; internal set; }

    /// <summary>One past the last offset.</summary>
    public long EndOffset { get; internal set; }

    /// <summary>How many readings.</summary>
    public int Count { get; private set; }

    /// <summary>Safe estimate of the rows' size as JSON lines, in bytes.</summary>
    public long EstimatedBytes { get; private set; }

    /// <summary>When it was cut.</summary>
    public DateTimeOffset CreatedAt { get; internal set; }

    /// <summary>The readings in order of offset. Each enumeration decodes anew.</summary>
    public IEnumerable<BatchReading> Readings()
    {
        foreach (var slice in slices)
        {
            var payload = SpoolRecord.Decode(bytes.AsMemory(slice.Start, slice.Length));
            for (var i = 0; i < slice.Count; i++)
                yield return new BatchReading(slice.Offset + i, payload, slice.FirstIndex + i);
        }
    }

    internal void Clear(long firstOffset)
    {
        slices.Clear();
        used = 0;
        Count = 0;
        EstimatedBytes = 0;
        FirstOffset = EndOffset = firstOffset;
    }

    internal void Add(ReadOnlySpan<byte> record, long offset, int firstIndex, int count, long estimatedBytes)
    {
        if (bytes.Length - used < record.Length)
            Array.Resize(ref bytes, Math.Max(used + record.Length, bytes.Length + (bytes.Length >> 1)));
        record.CopyTo(bytes.AsSpan(used));
        slices.Add(new(offset, used, record.Length, firstIndex, count));
        used += record.Length;
        Count += count;
        EstimatedBytes += estimatedBytes;
        EndOffset = offset + count;
    }

    readonly record struct Slice(long Offset, int Start, int Length, int FirstIndex, int Count);
}

/// <summary>One reading of a batch: its offset and where it lies in its decoded message.</summary>
public readonly record struct BatchReading(long Offset, Payload Payload, int Index);
