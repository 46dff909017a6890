using System.Buffers.Binary;
using System.Numerics;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>CRC-32C (Castagnoli), RFC 3720 appendix B.4.</summary>
static class Crc32C
{
    public static uint Of(ReadOnlySpan<byte> data, uint previous = 0)
    {
        var crc = ~previous;
        for (; data.Length >= 8; data = data[8..])
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(data));
        foreach (var b in data)
            crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }
}
