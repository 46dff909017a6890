namespace ThermalStreaming.Sensors;

/// <summary>
/// The checksum of the SCD4x, the SGP30 and the ICP-10125: CRC-8 over the two bytes of each word, polynomial 0x31, start 0xFF, not
/// reflected.
/// </summary>
static class Crc8
{
    public static byte Of(byte high, byte low)
    {
        byte crc = 0xFF;
        foreach (var value in (ReadOnlySpan<byte>)[high, low])
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (byte)((crc & 0x80) != 0 ? (crc << 1) ^ 0x31 : crc << 1);
        }
        return crc;
    }
}
