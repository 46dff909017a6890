using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace ThermalStreaming.Readings;

/// <summary>
/// Recognises what stands between two values of JSON without white space, <c>,"key":</c>. Two comparisons of eight bytes tell nearly every
/// other key apart. Immutable.
/// </summary>
readonly struct KeyPattern
{
    readonly byte[] bytes;
    readonly ulong beginning,
        mask,
        ending;

    public KeyPattern(RowKey key)
    {
        bytes = key.Bytes;
        Span<byte> first = stackalloc byte[sizeof(ulong)];
        var length = Math.Min(bytes.Length, sizeof(ulong));
        bytes.AsSpan(0, length).CopyTo(first);
        beginning = BinaryPrimitives.ReadUInt64LittleEndian(first);
        mask = ulong.MaxValue >> (8 * (sizeof(ulong) - length));
        ending = length < sizeof(ulong) ? 0 : BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(bytes.Length - length));
        Length = bytes.Length;
    }

    /// <summary>In bytes.</summary>
    public int Length { get; }

    /// <summary>Whether a text begins with it; also false near the end of a text, where there is no value to follow.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsAt(ReadOnlySpan<byte> text) =>
        text.Length >= sizeof(ulong)
        && (BinaryPrimitives.ReadUInt64LittleEndian(text) & mask) == beginning
        && (Length <= sizeof(ulong) || IsRestAt(text));

    bool IsRestAt(ReadOnlySpan<byte> text) =>
        text.Length >= Length
        && BinaryPrimitives.ReadUInt64LittleEndian(text[(Length - sizeof(ulong))..]) == ending
        && (Length <= 2 * sizeof(ulong) || text.StartsWith(bytes));
}
