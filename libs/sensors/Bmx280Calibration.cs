using System.Buffers.Binary;

namespace ThermalStreaming.Sensors;

/// <summary>The calibration of a BME280 or BMP280, and the formulas that use it: those of the data sheets in floating point.</summary>
sealed record Bmx280Calibration
{
    /// <summary>Addresses of the calibration: one block, and another for a BME280.</summary>
    public const byte FirstBlock = 0x88,
        HumidityBlock = 0xE1;

    public const int FirstLength = 26,
        HumidityLength = 7;

    public required int T1 { get; init; }
    public required int T2 { get; init; }
    public required int T3 { get; init; }
    public required int P1 { get; init; }
    public required int P2 { get; init; }
    public required int P3 { get; init; }
    public required int P4 { get; init; }
    public required int P5 { get; init; }
    public required int P6 { get; init; }
    public required int P7 { get; init; }
    public required int P8 { get; init; }
    public required int P9 { get; init; }
    public int H1 { get; init; }
    public int H2 { get; init; }
    public int H3 { get; init; }
    public int H4 { get; init; }
    public int H5 { get; init; }
    public int H6 { get; init; }

    /// <summary>Parses the blocks.</summary>
    /// <param name="first">The first block.</param>
    /// <param name="humidity">The other block; empty for a BMP280.</param>
    /// <returns>Null if a block is all 0 or all FF: no chip has such a calibration, but a broken bus reads like that.</returns>
    public static Bmx280Calibration? Parse(ReadOnlySpan<byte> first, ReadOnlySpan<byte> humidity)
    {
        if (IsBlank(first) || (!humidity.IsEmpty && IsBlank(humidity)))
            return null;
        var calibration = new Bmx280Calibration
        {
            T1 = BinaryPrimitives.ReadUInt16LittleEndian(first),
            T2 = Signed(first, 0x8A),
            T3 = Signed(first, 0x8C),
            P1 = BinaryPrimitives.ReadUInt16LittleEndian(first[(0x8E - FirstBlock)..]),
            P2 = Signed(first, 0x90),
            P3 = Signed(first, 0x92),
            P4 = Signed(first, 0x94),
            P5 = Signed(first, 0x96),
            P6 = Signed(first, 0x98),
            P7 = Signed(first, 0x9A),
            P8 = Signed(first, 0x9C),
            P9 = Signed(first, 0x9E),
        };
        return humidity.IsEmpty
            ? calibration
            : calibration with
            {
                H1 = first[0xA1 - FirstBlock],
                H2 = BinaryPrimitives.ReadInt16LittleEndian(humidity),
                H3 = humidity[2],
                // Two signed 12-bit numbers that share a byte.
                H4 = (sbyte)humidity[3] << 4 | humidity[4] & 0x0F,
                H5 = (sbyte)humidity[5] << 4 | humidity[4] >> 4,
                H6 = (sbyte)humidity[6],
            };
    }

    /// <summary>The fine temperature, which pressure and humidity need too; °C is a 5120th of it.</summary>
    public double Fine(int raw)
    {
        var difference = raw / 131_072.0 - T1 / 8_192.0;
        return (raw / 16_384.0 - T1 / 1_024.0) * T2 + difference * difference * T3;
    }

    /// <returns>Pa; null if the formula has no value.</returns>
    public double? Pascal(int raw, double fine)
    {
        var a = fine / 2 - 64_000;
        var b = (a * a * P6 / 32_768 + a * P5 * 2) / 4 + P4 * 65_536.0;
        var c = (1 + (P3 * a * a / 524_288 + P2 * a) / 524_288 / 32_768) * P1;
        if (c == 0)
            return null;
        var q = (1_048_576 - raw - b / 4_096) * 6_250 / c;
        return q + (P9 * q * q / 2_147_483_648 + q * P8 / 32_768 + P7) / 16;
    }

    /// <returns>Relative humidity, %, 0 to 100.</returns>
    public double Percent(int raw, double fine)
    {
        var a = fine - 76_800;
        var b = (raw - (H4 * 64.0 + H5 / 16_384.0 * a)) * (H2 / 65_536.0 * (1 + H6 / 67_108_864.0 * a * (1 + H3 / 67_108_864.0 * a)));
        return Math.Clamp(b * (1 - H1 * b / 524_288), 0, 100);
    }

    static bool IsBlank(ReadOnlySpan<byte> block) => !block.ContainsAnyExcept((byte)0) || !block.ContainsAnyExcept((byte)0xFF);

    static int Signed(ReadOnlySpan<byte> first, int register) => BinaryPrimitives.ReadInt16LittleEndian(first[(register - FirstBlock)..]);
}
