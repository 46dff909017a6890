namespace ThermalStreaming.Journal;

/// <summary>Appends that are written by one call and made durable by one fsync. Filled under the journal's lock, then the writer's alone.</summary>
sealed class AppendGroup
{
    /// <summary>Room in front of the frames for a segment header or a time mark, so that either goes out in the same write.</summary>
    const int Reserve = SegmentHeader.Bytes;

    const int FirstBytes = 64 * 1024;

    // Not RunContinuationsAsynchronously: that costs a thread-pool item per append. The group is one item, and its appends go on in order.
    readonly TaskCompletionSource<long> stored = new();

    byte[] buffer;

    public AppendGroup(byte[]? buffer, long createdAt)
    {
        this.buffer = buffer ?? new byte[FirstBytes];
        CreatedAt = createdAt;
    }

    /// <summary>Timestamp of the first append.</summary>
    public long CreatedAt { get; }

    /// <summary>Bytes of frames so far.</summary>
    public int Length { get; private set; }

    /// <summary>Readings so far.</summary>
    public int Count { get; private set; }

    /// <summary>Completed with the offset of the group's first reading.</summary>
    public Task<long> Stored => stored.Task;

    /// <summary>The buffer, for the next group.</summary>
    public byte[] Buffer => buffer;

    public void EnsureRoom(int bytes)
    {
        var needed = Reserve + Length + bytes;
        if (needed > buffer.Length)
            Array.Resize(ref buffer, needed + needed / 4);
    }

    public void Add(in JournalRecord record)
    {
        Length += Frame.Write(buffer.AsSpan(Reserve + Length), record.Count, record.Prefix.Span, record.Payload.Span);
        Count += record.Count;
    }

    /// <summary>Lets the appends go on, one after the other on a thread of the pool.</summary>
    public void CompleteWith(long first) =>
        ThreadPool.UnsafeQueueUserWorkItem(static state => state.stored.TrySetResult(state.first), (stored, first), preferLocal: false);

    /// <inheritdoc cref="CompleteWith"/>
    public void FailWith(Exception exception) =>
        ThreadPool.UnsafeQueueUserWorkItem(static state => state.stored.TrySetException(state.exception), (stored, exception), preferLocal: false);

    public ReadOnlySpan<byte> Frames => buffer.AsSpan(Reserve, Length);

    public ReadOnlySpan<byte> WithHeader(SegmentHeader header)
    {
        header.Write(buffer.AsSpan(Reserve - SegmentHeader.Bytes));
        return buffer.AsSpan(Reserve - SegmentHeader.Bytes, SegmentHeader.Bytes + Length);
    }

    public ReadOnlySpan<byte> WithMark(long wallMilliseconds, long openMilliseconds)
    {
        Frame.WriteMark(buffer.AsSpan(Reserve - Frame.MarkBytes), wallMilliseconds, openMilliseconds);
        return buffer.AsSpan(Reserve - Frame.MarkBytes, Frame.MarkBytes + Length);
    }
}
