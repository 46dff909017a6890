using System.Buffers.Binary;

namespace ThermalStreaming.Journal;

/// <summary>The first 64 bytes of a segment file.</summary>
/// <param name="Epoch">Identity of the journal.</param>
/// <param name="First">Offset of the first reading in this segment.</param>
/// <param name="PreviousEnd">Where the readings of the segment before end; less than <paramref name="First"/> if some are missing.</param>
/// <param name="WallMilliseconds">Wall clock when the segment was begun.</param>
/// <param name="OpenMilliseconds">The journal's own time then.</param>
readonly record struct SegmentHeader(ulong Epoch, long First, long PreviousEnd, long WallMilliseconds, long OpenMilliseconds)
{
    public const int Bytes = 64;
    public const ushort Version = 1;

    const int ChecksumAt = 60;

    static ReadOnlySpan<byte> Magic => "THRMJRNL"u8;

    public TimeMark Mark => new(First, WallMilliseconds, OpenMilliseconds);

    public void Write(Span<byte> destination)
    {
        destination[..Bytes].Clear();
        Magic.CopyTo(destination);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[8..], Version);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[10..], Bytes);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[16..], Epoch);
        BinaryPrimitives.WriteInt64LittleEndian(destination[24..], First);
        BinaryPrimitives.WriteInt64LittleEndian(destination[32..], PreviousEnd);
        BinaryPrimitives.WriteInt64LittleEndian(destination[40..], WallMilliseconds);
        BinaryPrimitives.WriteInt64LittleEndian(destination[48..], OpenMilliseconds);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[ChecksumAt..], Crc32C.Compute(destination[..ChecksumAt]));
    }

    /// <returns>Null if the bytes are not a header, or not the one that was written.</returns>
    /// <exception cref="IOException">An intact header of a later version of the format.</exception>
    public static SegmentHeader? Parse(ReadOnlySpan<byte> bytes, string path)
    {
        if (
            bytes.Length < Bytes
            || !bytes.StartsWith(Magic)
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[ChecksumAt..]) != Crc32C.Compute(bytes[..ChecksumAt])
        )
            return null;
        var version = BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]);
        if (version != Version)
            throw new LaterFormatException(path, version, Version);

        return new SegmentHeader(
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[24..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[32..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[40..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[48..])
        );
    }
}
