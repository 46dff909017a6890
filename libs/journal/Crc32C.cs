using System.Buffers.Binary;
using System.Numerics;

namespace ThermalStreaming.Journal;

/// <summary>CRC-32C (Castagnoli, RFC 3720 appendix B.4), by the instruction that x64 and arm64 have for it.</summary>
public static class Crc32C
{
    public static uint Compute(ReadOnlySpan<byte> bytes)
    {
        var crc = ~0u;
        while (bytes.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (var value in bytes)
            crc = BitOperations.Crc32C(crc, value);
        return ~crc;
    }
}
