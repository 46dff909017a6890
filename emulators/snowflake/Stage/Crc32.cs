namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>CRC-32 of ISO 3309, ZIP and the checksums of S3.</summary>
static class Crc32
{
    static readonly uint[] Table = MakeTable();

    /// <summary>The checksum of data, or of data that continues the data of checksum <paramref name="previous"/>.</summary>
    public static uint Of(ReadOnlySpan<byte> data, uint previous = 0)
    {
        var crc = ~previous;
        foreach (var b in data)
            crc = Table[(byte)(crc ^ b)] ^ (crc >> 8);
        return ~crc;
    }

    static uint[] MakeTable()
    {
        var table = new uint[256];
        for (var i = 0u; i < table.Length; i++)
        {
            var value = i;
            for (var bit = 0; bit < 8; bit++)
                value = (value & 1) == 0 ? value >> 1 : (value >> 1) ^ 0xEDB88320;
            table[i] = value;
        }
        return table;
    }
}
