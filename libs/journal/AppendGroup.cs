namespace ThermalStreaming.Journal;

/// <summary>
/// Appends that are written by one call and made durable by one fsync. <see cref="AppendQueue"/> fills it under its lock; after that only
/// the writer uses it.
/// </summary>
sealed class AppendGroup
{
    /// <summary>
    /// Room in front of the frames for a segment header, or for a time mark and an offset mark, so that these go out in the same write.
    /// </summary>
    const int Reserve = SegmentHeader.Bytes;

    /// <summary>Most bytes between two offset marks. A mark makes the offsets behind damage certain.</summary>
    public const int MarkEveryBytes = 4096;

    /// <summary>What one write to a file costs at least: the page cache and the device write whole pages.</summary>
    const int PageBytes = 4096;

    /// <summary>
    /// Groups of these sizes, in bytes, are padded: smaller ones share pages anyway, and for larger ones padding saves too little.
    /// </summary>
    const int LeastPadded = 512,
        MostPadded = 32 * 1024;

    const int FirstBytes = 64 * 1024;

    // Not RunContinuationsAsynchronously: that costs a thread-pool item per append. The group is one item, and its appends continue in
    // order.
    readonly TaskCompletionSource<long> stored = new();

    // Offset marks among the frames: their places, and how many readings of the group come before each. Written once the group's offset is
    // known.
    readonly List<(int At, int Count)> marks = [];

    byte[] buffer;
    int paddingBytes;
    int markDueAt = MarkEveryBytes;

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

    /// <summary>The buffer, which the next group may use.</summary>
    public byte[] Buffer => buffer;

    public void EnsureRoom(int bytes)
    {
        var needed = Reserve + Length + bytes + (bytes / MarkEveryBytes + 2) * Frame.MarkBytes + PageBytes;
        if (needed > buffer.Length)
            Array.Resize(ref buffer, needed + needed / 4);
    }

    public void Add(in JournalRecord record)
    {
        if (Length >= markDueAt)
        {
            marks.Add((Length, Count));
            Length += Frame.MarkBytes;
            markDueAt = Length + MarkEveryBytes;
        }

        Length += Frame.Write(buffer.AsSpan(Reserve + Length), record.Count, record.Prefix.Span, record.Payload.Span);
        Count += record.Count;
    }

    /// <summary>Writes the offset marks among the frames.</summary>
    public void SetFirst(long first, ulong epoch)
    {
        foreach (var (at, count) in marks)
            Frame.WriteOffsetMark(buffer.AsSpan(Reserve + at), first + count, epoch);
    }

    /// <summary>Whether there are offset marks among the frames.</summary>
    public bool HasMarks => marks.Count > 0;

    /// <summary>Bytes of frames, and of the padding that was last added, behind the last offset mark among them.</summary>
    public int BytesBehindMark => paddingBytes + (marks.Count == 0 ? Length : Length - marks[^1].At);

    /// <summary>Completes the appends, one after the other on a thread of the pool.</summary>
    public void CompleteWith(long first) =>
        ThreadPool.UnsafeQueueUserWorkItem(static state => state.stored.TrySetResult(state.first), (stored, first), preferLocal: false);

    /// <inheritdoc cref="CompleteWith"/>
    public void FailWith(Exception exception) =>
        ThreadPool.UnsafeQueueUserWorkItem(
            static state => state.stored.TrySetException(state.exception),
            (stored, exception),
            preferLocal: false
        );

    public ReadOnlySpan<byte> WithHeader(SegmentHeader header)
    {
        header.Write(buffer.AsSpan(Reserve - SegmentHeader.Bytes));
        paddingBytes = 0;
        return buffer.AsSpan(Reserve - SegmentHeader.Bytes, SegmentHeader.Bytes + Length);
    }

    /// <param name="time">For a time mark in front of the frames.</param>
    /// <param name="offset">For an offset mark in front of them.</param>
    /// <param name="position">Where in the file they go.</param>
    /// <param name="mayGrow">Bytes that padding behind the frames may take.</param>
    public ReadOnlySpan<byte> WithMarks(TimeMark? time, (long First, ulong Epoch)? offset, long position, long mayGrow)
    {
        var start = Reserve;
        if (offset is { } here)
            Frame.WriteOffsetMark(buffer.AsSpan(start -= Frame.MarkBytes), here.First, here.Epoch);
        if (time is { } now)
            Frame.WriteMark(buffer.AsSpan(start -= Frame.MarkBytes), now.WallMilliseconds, now.OpenMilliseconds);
        return Padded(start, position, mayGrow);
    }

    /// <summary>
    /// The bytes from <paramref name="start"/> on. Padding to the end of the page follows if the next group, assumed to be as long as this
    /// one, would otherwise touch one page more than necessary: every fsync writes each touched page as a whole. The padding is never more
    /// than eleven twentieths of the group, so that the file is little longer than its readings.
    /// </summary>
    ReadOnlySpan<byte> Padded(int start, long position, long mayGrow)
    {
        var length = Reserve - start + Length;
        var used = (int)((position + length) % PageBytes);
        var (rest, next) = (PageBytes - used, Length + 2 * Frame.MarkBytes);
        var isWorthIt =
            Length is >= LeastPadded and <= MostPadded
            && used > 0
            && Pages(used + next) > Pages(next)
            && rest <= Math.Min(Length * 11 / 20, mayGrow);
        paddingBytes = isWorthIt && Frame.TryPad(buffer.AsSpan(start + length, rest)) ? rest : 0;
        return buffer.AsSpan(start, length + paddingBytes);
    }

    static int Pages(int bytes) => (bytes + PageBytes - 1) / PageBytes;
}
