using System.Buffers.Binary;

namespace ThermalStreaming.Sensors;

/// <summary>
/// The calibration of a BME680 or BME688, and the formulas that use it (Bosch, floating point). Signs matter: p3, p6, p7, t3 and the
/// switching error are signed.
/// </summary>
sealed record BmeCalibration
{
    /// <summary>Addresses of the calibration: three blocks.</summary>
    public const byte FirstBlock = 0x8A,
        SecondBlock = 0xE1,
        ThirdBlock = 0x00;

    public const int FirstLength = 23,
        SecondLength = 14,
        ThirdLength = 5;

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
    public required int P10 { get; init; }
    public required int H1 { get; init; }
    public required int H2 { get; init; }
    public required int H3 { get; init; }
    public required int H4 { get; init; }
    public required int H5 { get; init; }
    public required int H6 { get; init; }
    public required int H7 { get; init; }
    public required int G1 { get; init; }
    public required int G2 { get; init; }
    public required int G3 { get; init; }
    public required int HeaterRange { get; init; }
    public required int HeaterValue { get; init; }
    public required int SwitchingError { get; init; }

    /// <summary>Parses the three blocks.</summary>
    /// <returns>Null if they are all 0 or all FF: no chip has such a calibration, but a broken bus reads like that.</returns>
    public static BmeCalibration? Parse(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third)
    {
        if (
            !first.ContainsAnyExcept((byte)0)
            || !first.ContainsAnyExcept((byte)0xFF)
            || !second.ContainsAnyExcept((byte)0)
            || !second.ContainsAnyExcept((byte)0xFF)
        )
            return null;
        return new BmeCalibration
        {
            T1 = BinaryPrimitives.ReadUInt16LittleEndian(second[8..]),
            T2 = BinaryPrimitives.ReadInt16LittleEndian(first),
            T3 = (sbyte)first[0x8C - FirstBlock],
            P1 = BinaryPrimitives.ReadUInt16LittleEndian(first[(0x8E - FirstBlock)..]),
            P2 = BinaryPrimitives.ReadInt16LittleEndian(first[(0x90 - FirstBlock)..]),
            P3 = (sbyte)first[0x92 - FirstBlock],
            P4 = BinaryPrimitives.ReadInt16LittleEndian(first[(0x94 - FirstBlock)..]),
            P5 = BinaryPrimitives.ReadInt16LittleEndian(first[(0x96 - FirstBlock)..]),
            P7 = (sbyte)first[0x98 - FirstBlock],
            P6 = (sbyte)first[0x99 - FirstBlock],
            P8 = BinaryPrimitives.ReadInt16LittleEndian(first[(0x9C - FirstBlock)..]),
            P9 = BinaryPrimitives.ReadInt16LittleEndian(first[(0x9E - FirstBlock)..]),
            P10 = first[0xA0 - FirstBlock],
            H2 = second[0] << 4 | second[1] >> 4,
            H1 = second[2] << 4 | second[1] & 0x0F,
            H3 = (sbyte)second[3],
            H4 = (sbyte)second[4],
            H5 = (sbyte)second[5],
            H6 = second[6],
            H7 = (sbyte)second[7],
            G2 = BinaryPrimitives.ReadInt16LittleEndian(second[10..]),
            G1 = (sbyte)second[12],
            G3 = (sbyte)second[13],
            HeaterValue = (sbyte)third[0],
            HeaterRange = third[2] >> 4 & 3,
            SwitchingError = (sbyte)third[4] >> 4,
        };
    }

    /// <summary>The fine temperature, which pressure and humidity need too; °C is a 5120th of it.</summary>
    public double Fine(int raw)
    {
        var difference = raw / 131_072.0 - T1 / 8_192.0;
        return (raw / 16_384.0 - T1 / 1_024.0) * T2 + difference * difference * T3 * 16;
    }

    /// <returns>Pa; null if the formula has no value.</returns>
    public double? Pascal(int raw, double fine)
    {
        var a = fine / 2 - 64_000;
        var b = (a * a * P6 / 131_072 + a * P5 * 2) / 4 + P4 * 65_536.0;
        var c = (1 + (P3 * a * a / 16_384 + P2 * a) / 524_288 / 32_768) * P1;
        if (c == 0)
            return null;
        var q = (1_048_576 - raw - b / 4_096) * 6_250 / c;
        return q + (P9 * q * q / 2_147_483_648 + q * P8 / 32_768 + q / 256 * (q / 256) * (q / 256) * P10 / 131_072 + P7 * 128) / 16;
    }

    /// <returns>Relative humidity, %, 0 to 100.</returns>
    public double Percent(int raw, double fine)
    {
        var t = fine / 5_120;
        var x = raw - (H1 * 16 + H3 / 2.0 * t);
        var y = x * (H2 / 262_144.0) * (1 + H4 / 16_384.0 * t + H5 / 1_048_576.0 * t * t);
        return Math.Clamp(y + (H6 / 16_384.0 + H7 / 2_097_152.0 * t) * y * y, 0, 100);
    }

    /// <summary>The register value that heats the plate to a target temperature, °C, at most 400, in air of the ambient one.</summary>
    public byte Heater(double target, double ambient)
    {
        var v = (G1 / 16.0 + 49) * (1 + (G2 / 32_768.0 * 0.0005 + 0.00235) * Math.Min(target, 400)) + G3 / 1_024.0 * ambient;
        return (byte)(3.4 * (v * 4 / (4 + HeaterRange) / (1 + HeaterValue * 0.002) - 25));
    }
}
