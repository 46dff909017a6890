using System.Buffers.Binary;
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
        for (; data.Length > 0; data = data[Math.Min(data.Length, Batch)..])
        {
            for (var i = 0; i < Batch; i += Block)
                BinaryPrimitives.WriteUInt128BigEndian(counters.AsSpan(i), counter++);
            // Counter mode is ECB of a counter.
            aes.EncryptEcb(counters, stream, PaddingMode.None);
            for (var i = 0; i < Math.Min(data.Length, Batch); i++)
                data[i] ^= stream[i];
        }
    }
}
