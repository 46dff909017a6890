using System.Buffers.Binary;

namespace ThermalStreaming.Journal;

/// <summary>How one record is laid out in a segment; see FORMAT.md.</summary>
static class Frame
{
    public const int MaxPayloadBytes = 8 * 1024 * 1024;

    /// <summary>Offsets that one segment may span, and so the most that one record may count.</summary>
    public const int MaxCount = 1 << 20;

    public const int MinBytes = 6;
    public const int MarkBytes = MinBytes + MarkPayloadBytes;

    const int ChecksumBytes = 4;
    const int MarkPayloadBytes = 17;
    const byte TimeMarkKind = 1,
        OffsetMarkKind = 2,
        PaddingKind = 3;

    /// <summary>A padding frame is a mark whose two varints may have up to four bytes each.</summary>
    const int MostPaddingBytes = MarkBytes + 6;

    public static int Size(int payloadLength, int count) =>
        ChecksumBytes + VarintSize((uint)payloadLength) + VarintSize((uint)count) + payloadLength;

    /// <summary>Writes one frame and returns its size.</summary>
    public static int Write(Span<byte> destination, int count, ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> payload)
    {
        var at = ChecksumBytes;
        at += WriteVarint(destination[at..], (uint)(prefix.Length + payload.Length));
        at += WriteVarint(destination[at..], (uint)count);
        prefix.CopyTo(destination[at..]);
        at += prefix.Length;
        payload.CopyTo(destination[at..]);
        at += payload.Length;
        BinaryPrimitives.WriteUInt32LittleEndian(destination, Crc32C.Compute(destination[ChecksumBytes..at]));
        return at;
    }

    /// <summary>Writes a time mark: a frame without readings that says when the next frame was appended.</summary>
    public static void WriteMark(Span<byte> destination, long wallMilliseconds, long openMilliseconds)
    {
        Span<byte> payload = stackalloc byte[MarkPayloadBytes];
        payload[0] = TimeMarkKind;
        BinaryPrimitives.WriteInt64LittleEndian(payload[1..], wallMilliseconds);
        BinaryPrimitives.WriteInt64LittleEndian(payload[9..], openMilliseconds);
        Write(destination, 0, [], payload);
    }

    public static bool TryReadMark(ReadOnlySpan<byte> payload, out long wallMilliseconds, out long openMilliseconds)
    {
        (wallMilliseconds, openMilliseconds) = (0, 0);
        if (payload.Length != MarkPayloadBytes || payload[0] != TimeMarkKind)
            return false;
        wallMilliseconds = BinaryPrimitives.ReadInt64LittleEndian(payload[1..]);
        openMilliseconds = BinaryPrimitives.ReadInt64LittleEndian(payload[9..]);
        return true;
    }

    /// <summary>Writes an offset mark: a frame without readings that says which offset the next record has.</summary>
    public static void WriteOffsetMark(Span<byte> destination, long offset, ulong epoch)
    {
        Span<byte> payload = stackalloc byte[MarkPayloadBytes];
        payload[0] = OffsetMarkKind;
        BinaryPrimitives.WriteInt64LittleEndian(payload[1..], offset);
        BinaryPrimitives.WriteUInt64LittleEndian(payload[9..], epoch);
        Write(destination, 0, [], payload);
    }

    public static bool TryReadOffsetMark(ReadOnlySpan<byte> payload, ulong epoch, out long offset)
    {
        offset = 0;
        if (
            payload.Length != MarkPayloadBytes
            || payload[0] != OffsetMarkKind
            || BinaryPrimitives.ReadUInt64LittleEndian(payload[9..]) != epoch
        )
            return false;
        offset = BinaryPrimitives.ReadInt64LittleEndian(payload[1..]);
        return offset >= 0;
    }

    /// <summary>
    /// Fills the bytes with frames that count no readings and say nothing. Their varints are longer than they need to be where that makes
    /// the frames fit; every version of the format reads them.
    /// </summary>
    /// <returns>False when no number of frames has that length, which can be so below 92 bytes. Nothing is written then.</returns>
    public static bool TryPad(Span<byte> destination)
    {
        var frames = (destination.Length + MostPaddingBytes - 1) / MostPaddingBytes;
        if (frames * MarkBytes > destination.Length)
            return false;
        for (; frames > 0; frames--)
        {
            var size = destination.Length / frames;
            WritePadding(destination[..size]);
            destination = destination[size..];
        }

        return true;
    }

    /// <param name="data">Bytes from the start of a frame.</param>
    /// <param name="size">Size of the frame in bytes; if it is incomplete, how many bytes are needed to learn more.</param>
    /// <param name="count">Readings in it; 0 for a mark.</param>
    /// <param name="payloadStart">Where its payload begins.</param>
    public static FrameStatus TryParse(ReadOnlySpan<byte> data, out int size, out int count, out int payloadStart)
    {
        (size, count, payloadStart) = (MinBytes, 0, 0);
        if (data.Length < MinBytes)
            return FrameStatus.Incomplete;

        var at = ChecksumBytes;
        var status = ReadVarint(data, ref at, out var length);
        var readings = 0u;
        if (status == FrameStatus.Valid)
            status = ReadVarint(data, ref at, out readings);
        if (status != FrameStatus.Valid)
        {
            size = data.Length + 1;
            return status;
        }

        if (length > MaxPayloadBytes || readings > MaxCount || (readings == 0 && length != MarkPayloadBytes))
            return FrameStatus.Invalid;
        count = (int)readings;
        payloadStart = at;
        size = at + (int)length;
        if (data.Length < size)
            return FrameStatus.Incomplete;
        return BinaryPrimitives.ReadUInt32LittleEndian(data) == Crc32C.Compute(data[ChecksumBytes..size])
            ? FrameStatus.Valid
            : FrameStatus.Invalid;
    }

    static void WritePadding(Span<byte> frame)
    {
        frame.Clear();
        var surplus = frame.Length - MarkBytes;
        var at = WriteLongVarint(frame, ChecksumBytes, MarkPayloadBytes, 1 + Math.Min(surplus, 3));
        at = WriteLongVarint(frame, at, 0, 1 + Math.Max(0, surplus - 3));
        frame[at] = PaddingKind;
        BinaryPrimitives.WriteUInt32LittleEndian(frame, Crc32C.Compute(frame[ChecksumBytes..]));
    }

    /// <summary>Writes a value below 128 as a varint of this many bytes, and returns where it ends.</summary>
    static int WriteLongVarint(Span<byte> frame, int at, byte value, int bytes)
    {
        for (var last = at + bytes - 1; at < last; value = 0)
            frame[at++] = (byte)(value | 0x80);
        frame[at++] = value;
        return at;
    }

    static int VarintSize(uint value) =>
        value < 1 << 7 ? 1
        : value < 1 << 14 ? 2
        : value < 1 << 21 ? 3
        : 4;

    static int WriteVarint(Span<byte> destination, uint value)
    {
        var at = 0;
        for (; value >= 0x80; value >>= 7)
            destination[at++] = (byte)(value | 0x80);
        destination[at++] = (byte)value;
        return at;
    }

    static FrameStatus ReadVarint(ReadOnlySpan<byte> data, ref int at, out uint value)
    {
        value = 0;
        for (var shift = 0; shift < 28; shift += 7)
        {
            if (at == data.Length)
                return FrameStatus.Incomplete;
            var next = data[at++];
            value |= (uint)(next & 0x7F) << shift;
            if (next < 0x80)
                return FrameStatus.Valid;
        }

        return FrameStatus.Invalid;
    }
}
