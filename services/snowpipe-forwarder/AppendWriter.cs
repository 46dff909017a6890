using System.Buffers;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Readings;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>
/// Turns a batch into NDJSON rows and compresses them (Zstandard, RFC 8878), in as many parts as the limit of one request demands. The next
/// batch reuses its buffers, so results are valid until then. Not thread-safe.
/// </summary>
/// <param name="rules">Marks rows that break a rule; null: rows are not marked.</param>
sealed class AppendWriter(RowRules? rules = null) : IDisposable
{
    /// <summary>Snowflake takes rows of up to 2 MB.</summary>
    public const int MaxRowBytes = 2_000_000;

    /// <summary>Snowflake takes 4 MB on the wire; whether that is 4,000,000 or 4,194,304 is not documented.</summary>
    public const int MaxPartBytes = 4_000_000;

    /// <summary>Bytes that the compressor may hold back: a window of input and its buffers.</summary>
    const int CompressorSlack = 192 << 10;

    /// <summary>Rows go to the compressor in pieces of about this size, because each call has a cost.</summary>
    const int Chunk = 32 << 10;

    const int LargestKeptRow = 1 << 20;

    /// <summary>Compressed size of a row in a large batch; a little more than was measured.</summary>
    const int UsualWireBytes = 80;

    /// <summary>
    /// Thermal rows, measured per row in batches of 100: 0.6 µs and 60 bytes; gzip takes 0.8 µs and 86 bytes at level 2, 2.6 µs and 73
    /// bytes at level 6. Higher levels of Zstandard take longer and save nothing.
    /// </summary>
    const int Level = 1;

    /// <summary>As a power of two: 128 KiB. A larger window takes memory and time, and compresses no better.</summary>
    const int Window = 17;

    ArrayBufferWriter<byte> row = new(4096);
    readonly GrowingStream pending = new(2 * Chunk);
    readonly GrowingStream output = new(64 << 10);
    readonly List<(RowPart Part, int Start, int Length)> parts = [];

    readonly Compressor compressor = NewCompressor();

    // The part that is being written.
    CompressionStream? compression;
    long partFirst;
    int partStart;
    int partRows;
    int partBytes;
    long lastRow;

    /// <summary>
    /// Most bytes of a part before compression, unless its only row has more. Lowered when something on the way takes less than
    /// <see cref="MaxPartBytes"/>; the compressed size is known too late to size small parts by it.
    /// </summary>
    public int PlainLimit { get; set; } = int.MaxValue;

    /// <summary>Most rows of a part. Lowered for a while after refused rows, so that the next refusal leaves fewer suspects.</summary>
    public int RowLimit { get; set; } = int.MaxValue;

    /// <summary>
    /// Writes as rows at most <paramref name="count"/> readings with offsets from <paramref name="first"/> to before
    /// <paramref name="end"/>. Readings that no append can carry go to <paramref name="refuse"/>; an append without rows is not made.
    /// </summary>
    public List<RowPart> Write(
        IEnumerable<BatchReading> readings,
        int count,
        long first,
        long end,
        string channel,
        DateTimeOffset forwardedAt,
        Action<BatchReading, string> refuse
    )
    {
        output.SetLength(0);
        // Allocates the final size at once: growing by doubling leaves the halves behind.
        if (count * UsualWireBytes > output.Capacity)
            output.Capacity = count * UsualWireBytes;
        parts.Clear();
        Begin(first);
        var stamp = new RowStamp(forwardedAt, channel);
        try
        {
            foreach (var reading in readings)
            {
                if (!TryWriteRow(reading, stamp, refuse))
                    continue;
                if (
                    partRows > 0
                    && (
                        output.Position - partStart + pending.Position + row.WrittenCount + CompressorSlack > MaxPartBytes
                        || partBytes + pending.Position + row.WrittenCount > PlainLimit
                        || partRows >= RowLimit
                    )
                )
                {
                    End(reading.Offset - 1);
                    Begin(reading.Offset);
                }
                pending.Write(row.WrittenSpan);
                partRows++;
                lastRow = reading.Offset;
                if (pending.Position >= Chunk)
                    Compress();
            }
            // The last part also accounts for the readings at the end that have no row.
            End(end - 1);
        }
        finally
        {
            compression?.Dispose();
            compression = null;
            // One huge row must not hold its memory for ever.
            if (row.Capacity > LargestKeptRow)
                row = new ArrayBufferWriter<byte>(4096);
        }
        return parts.ConvertAll(made => made.Part with { Body = output.Memory.Slice(made.Start, made.Length) });
    }

    bool TryWriteRow(in BatchReading reading, RowStamp stamp, Action<BatchReading, string> refuse)
    {
        row.ResetWrittenCount();
        try
        {
            reading.Payload.WriteRow(reading.Index, row, stamp, reading.Offset);
        }
        catch (Exception e)
        {
            // One reading that cannot be written must not hold up those after it.
            refuse(reading, $"could not be written as a row: {e.Message}");
            return false;
        }
        rules?.Mark(reading.Payload.Kind, row);
        row.Write("\n"u8);
        if (row.WrittenCount <= MaxRowBytes)
            return true;
        refuse(reading, $"the row has {row.WrittenCount} bytes; Snowflake takes at most {MaxRowBytes}");
        return false;
    }

    void Begin(long firstOffset)
    {
        compression = new CompressionStream(output, compressor, leaveOpen: true);
        partFirst = firstOffset;
        partStart = (int)output.Position;
        partRows = 0;
        partBytes = 0;
        pending.SetLength(0);
    }

    void End(long lastOffset)
    {
        Compress();
        compression!.Dispose();
        compression = null;
        if (partRows > 0)
            parts.Add(
                (new RowPart(default, partBytes, partRows, partFirst, lastOffset, lastRow), partStart, (int)output.Position - partStart)
            );
    }

    void Compress()
    {
        compression!.Write(pending.Written);
        partBytes += (int)pending.Position;
        pending.SetLength(0);
    }

    static Compressor NewCompressor()
    {
        var compressor = new Compressor(Level);
        compressor.SetParameter(ZSTD_cParameter.ZSTD_c_windowLog, Window);
        // Without the checksum, a body damaged on the way could be read as other rows.
        compressor.SetParameter(ZSTD_cParameter.ZSTD_c_checksumFlag, 1);
        return compressor;
    }

    public void Dispose()
    {
        compressor.Dispose();
        pending.Dispose();
        output.Dispose();
    }

    /// <summary>A memory stream whose bytes can be seen without a copy.</summary>
    sealed class GrowingStream(int capacity) : MemoryStream(capacity)
    {
        public ReadOnlySpan<byte> Written => GetBuffer().AsSpan(0, (int)Length);

        public ReadOnlyMemory<byte> Memory => GetBuffer().AsMemory(0, (int)Length);
    }
}
