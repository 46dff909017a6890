namespace ThermalStreaming.Journal;

/// <summary>Finds the next good frame behind damage.</summary>
static class FrameSearch
{
    /// <summary>Most bytes that a frame takes.</summary>
    const int MostFrameBytes = Frame.MaxPayloadBytes + 64;

    /// <summary>Reads bytes of the segment into the buffer; returns how many there are.</summary>
    public delegate int Source(Span<byte> buffer, long position);

    /// <summary>Searches behind a position at which no good frame begins.</summary>
    /// <returns>Position of the first good frame behind <paramref name="from"/>; the limit if there is none.</returns>
    public static long Find(Source source, long from, long limit)
    {
        long work = 0;
        var neighbour = 0;
        var window = new byte[(int)Math.Min(limit - from, 2 * MostFrameBytes)];
        for (var start = from; start < limit; )
        {
            ReadOnlySpan<byte> data = window.AsSpan(0, source(window.AsSpan(0, (int)Math.Min(window.Length, limit - start)), start));
            if (start == from)
                neighbour = Neighbour(data);
            var isLast = start + data.Length >= limit || data.Length < window.Length;
            var end = isLast ? data.Length - Frame.MinBytes + 1 : data.Length - MostFrameBytes;
            for (var at = start == from ? 1 : 0; at < end; at++)
            {
                var status = Frame.TryParse(data[at..Math.Min(data.Length, at + Longest(work))], out var size, out _, out var payloadStart);
                if (status == FrameStatus.Valid && (start > from || at >= neighbour || LeadsTo(neighbour, data, at)))
                    return start + at;
                // A checksum was computed only where header and length fit.
                if (status == FrameStatus.Invalid && payloadStart > 0)
                    work += size;
            }

            if (isLast)
                return limit;
            start += end;
        }

        return limit;
    }

    /// <summary>
    /// How many readings the damaged frames between two positions hold, according to their headers. No checksum confirms those, so they
    /// only count if they lead exactly from one position to the other; otherwise null.
    /// </summary>
    public static long? ReadingsBetween(Source source, long from, long to)
    {
        if (to - from > MostFrameBytes)
            return null;
        var data = new byte[(int)(to - from)];
        if (source(data, from) < data.Length)
            return null;
        long readings = 0;
        for (var at = 0; at < data.Length; )
        {
            if (!TryHeader(data.AsSpan(at), out var size, out var count) || at + size > data.Length)
                return null;
            readings += count;
            at += size;
        }

        return readings;
    }

    /// <summary>
    /// Where the next frame is if only the damaged frame's payload has changed, so that its length is still right; 0 if there is no good
    /// frame there.
    /// </summary>
    static int Neighbour(ReadOnlySpan<byte> data) =>
        TryHeader(data, out var size, out _) && size < data.Length && Frame.TryParse(data[size..], out _, out _, out _) == FrameStatus.Valid
            ? size
            : 0;

    /// <summary>
    /// Whether good frames follow one another from here to the neighbour. If not, this frame is part of the damaged frame's payload, which
    /// a sender may have made look like a frame.
    /// </summary>
    static bool LeadsTo(int neighbour, ReadOnlySpan<byte> data, int at)
    {
        while (at < neighbour && Frame.TryParse(data[at..], out var size, out _, out _) == FrameStatus.Valid)
            at += size;
        return at == neighbour;
    }

    static bool TryHeader(ReadOnlySpan<byte> data, out int size, out int count)
    {
        // The checksum does not matter here.
        Frame.TryParse(data, out size, out count, out var payloadStart);
        return payloadStart > 0;
    }

    /// <summary>
    /// The longest frame to look for. After much work without a result, only short ones, or the search would take minutes.
    /// </summary>
    static int Longest(long work) =>
        work < 256L << 20 ? MostFrameBytes
        : work < 1L << 30 ? 64 * 1024
        : 1024;
}
