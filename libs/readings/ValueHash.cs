using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Numerics;

namespace ThermalStreaming.Readings;

/// <summary>
/// A small hash of a reading's values, the same in every process. Equal readings have equal hashes, as does one pair of different readings
/// in four thousand million. Never 0.
/// </summary>
ref struct ValueHash
{
    /// <summary>All bytes of spelled numbers, including Infinity and NaN in any case.</summary>
    static readonly SearchValues<byte> numberBytes = SearchValues.Create("0123456789+-.eEIiNnFfTtYyAa"u8);

    uint hash;

    public readonly uint Value => hash == 0 ? 1 : hash;

    public void Add(ulong value) => hash = BitOperations.Crc32C(hash, value);

    public void Add(scoped ReadOnlySpan<byte> bytes)
    {
        Add((ulong)bytes.Length);
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
            Add(BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        // The same as byte by byte.
        if ((bytes.Length & sizeof(uint)) != 0)
        {
            hash = BitOperations.Crc32C(hash, BinaryPrimitives.ReadUInt32LittleEndian(bytes));
            bytes = bytes[sizeof(uint)..];
        }
        foreach (var one in bytes)
            hash = BitOperations.Crc32C(hash, one);
    }

    /// <summary>
    /// Adds a JSON value by its meaning: a number counts the same in any spelling, even in quotation marks, and white space between values
    /// does not count.
    /// </summary>
    public void AddJson(scoped ReadOnlySpan<byte> raw)
    {
        var text = raw.Length >= 2 && raw[0] == '"' ? raw[1..^1].Trim(" \t\r\n"u8) : raw;
        // Neither a name nor most ids begin like a number.
        if (
            text.Length > 0
            && numberBytes.Contains(text[0])
            && (
                ShortNumber.TryParse(text, out var number)
                // The general parser takes long to find that a time or an id is not a number.
                || (!text.ContainsAnyExcept(numberBytes) && Utf8Parser.TryParse(text, out number, out var length) && length == text.Length)
            )
        )
        {
            Add((ulong)BitConverter.DoubleToInt64Bits(number));
            return;
        }
        if (raw[0] is not ((byte)'{' or (byte)'['))
        {
            Add(text);
            return;
        }
        var inText = false;
        for (var i = 0; i < raw.Length; i++)
        {
            if (!inText && raw[i] is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r')
                continue;
            if (raw[i] == '"')
                inText = !inText;
            hash = BitOperations.Crc32C(hash, raw[i]);
            if (raw[i] == '\\' && i + 1 < raw.Length)
                hash = BitOperations.Crc32C(hash, raw[++i]);
        }
    }
}
