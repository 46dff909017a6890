using System.Buffers;
using System.Text;

namespace ThermalStreaming.Forwarding;

/// <summary>How the entries of a <see cref="Ledger"/> are encoded: numbers are varints, texts are a varint length and UTF-8.</summary>
static class LedgerEncoding
{
    extension(ArrayBufferWriter<byte> target)
    {
        public void WriteTag(byte tag)
        {
            target.GetSpan(1)[0] = tag;
            target.Advance(1);
        }

        public void WriteNumber(ulong value)
        {
            var bytes = target.GetSpan(10);
            var length = 0;
            for (; value >= 0x80; value >>= 7)
                bytes[length++] = (byte)(value | 0x80);
            bytes[length++] = (byte)value;
            target.Advance(length);
        }

        public void WriteText(string text)
        {
            target.WriteNumber((ulong)Encoding.UTF8.GetByteCount(text));
            Encoding.UTF8.GetBytes(text, target);
        }
    }

    /// <summary>Reads entries. The bytes may be anything; false means that they are not an entry.</summary>
    public ref struct Reader(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> rest = bytes;

        public bool TryReadTag(out byte tag)
        {
            tag = rest.IsEmpty ? (byte)0 : rest[0];
            if (rest.IsEmpty)
                return false;
            rest = rest[1..];
            return true;
        }

        public bool TryReadNumber(out ulong value)
        {
            value = 0;
            for (var i = 0; i < Math.Min(rest.Length, 10); i++)
            {
                value |= (ulong)(rest[i] & 0x7F) << (7 * i);
                if (rest[i] >= 0x80)
                    continue;
                rest = rest[(i + 1)..];
                return true;
            }
            return false;
        }

        public bool TryReadBytes(int count, out ReadOnlySpan<byte> bytes)
        {
            bytes = count <= rest.Length ? rest[..count] : default;
            if (count > rest.Length)
                return false;
            rest = rest[count..];
            return true;
        }

        public bool TryReadText(out string text)
        {
            text = "";
            if (!TryReadNumber(out var length) || length > (ulong)rest.Length)
                return false;
            text = Encoding.UTF8.GetString(rest[..(int)length]);
            rest = rest[(int)length..];
            return true;
        }
    }
}
