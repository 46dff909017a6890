namespace ThermalStreaming.Sensors.Tests;

/// <summary>The numbers that the data sheets, and people with real chips, give as examples.</summary>
public sealed class WorkedExampleTests
{
    [Theory]
    [InlineData(0xBEEF, 0x92)]
    [InlineData(0x0000, 0x81)]
    [InlineData(0x0001, 0xB0)]
    [InlineData(0x8000, 0xA2)]
    [InlineData(0x8006, 0x04)]
    [InlineData(0xFFFF, 0xAC)]
    [InlineData(0x0066, 0x9C)]
    [InlineData(0x01F4, 0x33)]
    public void Checksums(int word, byte checksum)
    {
        Assert.Equal(checksum, Crc8.Of((byte)(word >> 8), (byte)word));
        Assert.Equal(checksum, WordDevice.Checksum((ushort)word));
    }

    [Theory]
    [InlineData(0x241D, 0x07E6, "241D07E648")]
    [InlineData(0x2427, 1950, "2427079E09")]
    [InlineData(0xE000, 987, "E00003DB42")]
    [InlineData(0x362F, 480, "362F01E0B4")]
    [InlineData(0xC595, 0x0066, "C59500669C")]
    [InlineData(0x2061, 0x0F80, "20610F8062")]
    public void Commands_on_the_wire(int command, int argument, string bytes) =>
        Assert.Equal(bytes, Convert.ToHexString(WordProtocol.Encode((ushort)command, (ushort)argument)));

    [Fact]
    public void Scd4x_values()
    {
        Assert.Equal(25.0027, Scd4xConversion.Celsius(0x6667), 4);
        Assert.Equal(37.0016, Scd4xConversion.Percent(0x5EB9), 4);
        Assert.Equal(0x07E6, Scd4xConversion.OffsetWord(5.4));
        Assert.Equal(6.2005, Scd4xConversion.OffsetCelsius(0x0912), 4);
        Assert.Equal(987, Scd4xConversion.PressureWord(98_700)!.Value);
        Assert.Equal(-50, Scd4xConversion.Correction(0x7FCE));
        Assert.Null(Scd4xConversion.Correction(0xFFFF));
        Assert.Equal(273_325_796_834_238UL, WordProtocol.Serial([0xF896, 0x9F07, 0x3BBE]));
    }

    [Theory]
    [InlineData(0x8000, false)]
    [InlineData(0x8006, true)]
    [InlineData(0x0001, true)]
    [InlineData(0xF800, false)]
    public void Scd4x_data_ready_is_in_eleven_bits(int word, bool isReady) => Assert.Equal(isReady, Scd4xConversion.IsReady((ushort)word));

    [Theory]
    [InlineData(69_999)]
    [InlineData(120_001)]
    [InlineData(double.NaN)]
    public void Scd4x_is_never_sent_a_pressure_that_it_does_not_take(double pascal) => Assert.Null(Scd4xConversion.PressureWord(pascal));

    [Theory]
    [InlineData(1000, 2000, 3000, 4000, 8_000_000, 32_000, 78_650.6717)]
    [InlineData(-5176, -7385, 1043, 4051, 11_476_430, 25_937, 101_326.4074)]
    public void Icp10125_pressures(short c1, short c2, short c3, short c4, uint pressure, int temperature, double pascal) =>
        Assert.Equal(pascal, IcpConversion.Pascal([c1, c2, c3, c4], pressure, (ushort)temperature), 4);

    [Fact]
    public void Icp10125_raw_values()
    {
        Assert.Equal(10_564_513u, IcpConversion.RawPressure(0xA133, 0xA133));
        Assert.Equal(11_476_430u, IcpConversion.RawPressure(0xAF1D, 0xCE5C));
        Assert.Equal(23.7305, IcpConversion.Celsius(0x648B), 4);
        Assert.Equal(40.4492, IcpConversion.Celsius(32_000), 4);
        Assert.Equal(24.2593, IcpConversion.Celsius(25_937), 4);
    }

    [Fact]
    public void Sgp30_humidity()
    {
        Assert.Equal(11.484, AbsoluteHumidity.Of(25, 50), 3);
        Assert.Equal(0x0B7C, AbsoluteHumidity.Word(AbsoluteHumidity.Of(25, 50)));
        Assert.Equal(8.651, AbsoluteHumidity.Of(23.5, 41), 3);
        Assert.Equal(0x08A7, AbsoluteHumidity.Word(AbsoluteHumidity.Of(23.5, 41)));
        Assert.Equal(0x0F80, AbsoluteHumidity.Word(15.5));
        Assert.Equal(1, AbsoluteHumidity.Word(0));
        Assert.Equal("201E8A126D8973CA", Convert.ToHexString(WordProtocol.Encode(0x201E, 0x8A12, 0x8973)));
    }

    static readonly BmeCalibration Example = new()
    {
        T1 = 26041,
        T2 = 26469,
        T3 = 3,
        P1 = 36673,
        P2 = -10515,
        P3 = 88,
        P4 = 7310,
        P5 = -129,
        P6 = 30,
        P7 = 46,
        P8 = -3177,
        P9 = -2379,
        P10 = 30,
        H1 = 676,
        H2 = 1029,
        H3 = 0,
        H4 = 45,
        H5 = 20,
        H6 = 120,
        H7 = -100,
        G1 = -30,
        G2 = -24754,
        G3 = 18,
        HeaterRange = 1,
        HeaterValue = 48,
        SwitchingError = 0,
    };

    [Fact]
    public void Bme680_values()
    {
        var fine = Example.Fine(501_240);

        Assert.Equal(136_668.787, fine, 2);
        Assert.Equal(26.6931, fine / 5_120, 4);
        Assert.Equal(98_716.93, Example.Pascal(353_485, fine)!.Value, 2);
        Assert.Equal(42.4097, Example.Percent(19_019, fine), 3);
        Assert.Equal(0x6A, Example.Heater(320, 25));
        Assert.Equal(102, Example.Heater(300, 25));
    }

    [Fact]
    public void Bme68x_gas()
    {
        Assert.Equal(85_904, BmeGas.OhmLow(155, 7, 2), 0);
        Assert.Equal(117_297, BmeGas.OhmLow(600, 6, 0), 0);
        Assert.Equal(117_431, BmeGas.OhmHigh(600, 9), 0);
        Assert.Equal(12_946_860, BmeGas.OhmLow(0, 0, 0), 0);
        Assert.Equal(102_400_000, BmeGas.OhmHigh(0, 0), 0);
        Assert.Equal(0x59, BmeGas.WaitCode(100));
        Assert.Equal(0x65, BmeGas.WaitCode(150));
    }

    [Fact]
    public void Bme68x_calibration_words_are_signed_where_the_chip_has_signs()
    {
        var (first, second, third) = (
            new byte[BmeCalibration.FirstLength],
            new byte[BmeCalibration.SecondLength],
            new byte[BmeCalibration.ThirdLength]
        );
        first[2] = unchecked((byte)-2);
        first[0x92 - 0x8A] = unchecked((byte)-5);
        first[0x98 - 0x8A] = unchecked((byte)-14);
        first[0x99 - 0x8A] = unchecked((byte)-3);
        second[1] = 0x5C;
        second[0] = 0x40;
        second[2] = 0x2A;
        third[4] = 0xF0;
        third[2] = 0x30;

        var calibration = BmeCalibration.Parse(first, second, third)!;

        Assert.Equal((-2, -5, -14, -3), (calibration.T3, calibration.P3, calibration.P7, calibration.P6));
        Assert.Equal((0x405, 0x2AC), (calibration.H2, calibration.H1));
        Assert.Equal((-1, 3), (calibration.SwitchingError, calibration.HeaterRange));
    }
}
