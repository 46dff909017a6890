using System.Buffers.Binary;

namespace ThermalStreaming.Readings;

/// <summary>
/// Reads the protobuf wire format without making objects (protobuf.dev, "Encoding"). Malformed bytes throw a
/// <see cref="PayloadException"/>; groups, which proto3 does not have, count as malformed.
/// </summary>
ref struct WireReader(ReadOnlySpan<byte> bytes)
{
    readonly ReadOnlySpan<byte> bytes = bytes;

    public int Position { get; private set; }

    public readonly bool AtEnd => Position == bytes.Length;

    /// <summary>Field number and wire type.</summary>
    public uint ReadTag() =>
        ReadVarint() is var tag and >= 8 and <= uint.MaxValue ? (uint)tag : throw Malformed("a field has the number 0 or one beyond 2^29");

    // Tags, lengths and small numbers take one byte.
    public ulong ReadVarint() => !AtEnd && bytes[Position] < 0x80 ? bytes[Position++] : ReadLongVarint();

    ulong ReadLongVarint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            if (AtEnd)
                throw Truncated();
            var next = bytes[Position++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }
        throw Malformed("a varint is longer than ten bytes");
    }

    public double ReadDouble() => BinaryPrimitives.ReadDoubleLittleEndian(Take(8));

    /// <summary>The content of a string, bytes or message field.</summary>
    public ReadOnlySpan<byte> ReadBytes() => Take(ReadVarint());

    /// <summary>Skips a field whose tag has been read.</summary>
    public void Skip(uint tag)
    {
        switch (tag & 7)
        {
            case 0:
                ReadVarint();
                break;
            case 1:
                Take(8);
                break;
            case 2:
                ReadBytes();
                break;
            case 5:
                Take(4);
                break;
            default:
                throw Malformed($"field {tag >> 3} has wire type {tag & 7}");
        }
    }

    ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)(bytes.Length - Position))
            throw Truncated();
        var taken = bytes.Slice(Position, (int)length);
        Position += (int)length;
        return taken;
    }

    static NotProtobufException Truncated() => Malformed("it ends in the middle of a field");

    static NotProtobufException Malformed(string what) => new($"not a thermal.v1.ReadingBatch: {what}");
}
