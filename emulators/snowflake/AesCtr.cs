using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// AES in counter mode with a big-endian counter of 128 bits (NIST SP 800-38A, 6.5). Encrypting and decrypting are the same.
/// </summary>
static class AesCtr
{
    const int Block = 16;
    const int Batch = 1024 * Block;

    /// <summary>Transforms data in place.</summary>
    /// <param name="key">16, 24 or 32 bytes.</param>
    /// <param name="iv">16 bytes: the counter of the first block.</param>
    /// <param name="data">The data.</param>
    public static void Transform(byte[] key, ReadOnlySpan<byte> iv, Span<byte> data)
    {
        using var aes = Aes.Create();
        aes.Key = key;
        var counter = BinaryPrimitives.ReadUInt128BigEndian(iv);
        var counters = new byte[Batch];
        var stream = new byte[Batch];
        while (data.Length > 0)
        {
            var blocks = Math.Min(Batch / Block, (data.Length + Block - 1) / Block);
            for (var i = 0; i < blocks; i++)
                BinaryPrimitives.WriteUInt128BigEndian(counters.AsSpan(i * Block), counter++);
            // ECB of a counter is what counter mode is made of.
            aes.EncryptEcb(counters.AsSpan(0, blocks * Block), stream, PaddingMode.None);
            var count = Math.Min(data.Length, blocks * Block);
            var words = MemoryMarshal.Cast<byte, ulong>(data[..count]);
            var keys = MemoryMarshal.Cast<byte, ulong>(stream.AsSpan(0, count));
            for (var i = 0; i < words.Length; i++)
                words[i] ^= keys[i];
            for (var i = words.Length * sizeof(ulong); i < count; i++)
                data[i] ^= stream[i];
            data = data[count..];
        }
    }
}
