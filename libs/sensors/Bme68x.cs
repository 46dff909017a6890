using System.Buffers.Binary;
using System.Globalization;

namespace ThermalStreaming.Sensors;

/// <summary>
/// Driver for BME680 and BME688: temperature, humidity, pressure, gas resistance. There are no checksums and a power dip silently clears
/// every register, so each measurement writes the whole configuration and reads all results in one transfer.
/// </summary>
/// <param name="link">Link to address 0x76 or 0x77.</param>
/// <param name="gas">How often to heat the gas sensor.</param>
sealed class Bme68x(SensorLink link, GasMode gas) : I2cDriver(link)
{
    /// <summary>The two addresses that its pin SDO selects.</summary>
    public const int LowAddress = 0x76,
        HighAddress = 0x77;

    const byte ChipId = 0xD0,
        Variant = 0xF0,
        Reset = 0xE0,
        ResetCode = 0xB6,
        HeaterTarget = 0x5A,
        HeaterWait = 0x64,
        HeaterControl = 0x70,
        GasControl = 0x71,
        HumidityControl = 0x72,
        MeasureControl = 0x74,
        Filter = 0x75,
        Status = 0x1D;

    const int HeaterCelsius = 320,
        HeaterMilliseconds = 148,
        SkippedLong = 0x80000,
        SkippedShort = 0x8000;

    /// <summary>Oversampling ×2, ×16 and ×1 of temperature, pressure and humidity, as register codes.</summary>
    const int TemperatureCode = 2,
        PressureCode = 5,
        HumidityCode = 1;

    /// <summary>Duration with that oversampling, without and with heating, as Bosch computes it, in milliseconds.</summary>
    const double Cycles = (2 + 16 + 1) * 1.963 + 4 * 0.477 + 1,
        GasTime = 5 * 0.477 + HeaterMilliseconds;

    static readonly TimeSpan HeatingInterval = TimeSpan.FromMinutes(5);

    BmeCalibration? calibration;
    bool isHigh;
    double ambient = 25;
    long? heatedAt;

    public override TimeSpan Interval => TimeSpan.FromSeconds(3);

    public override async Task<SensorError?> StartAsync(CancellationToken cancellationToken)
    {
        if (!(await ReadAsync(ChipId, 1, cancellationToken)).Has(out var id, out var error))
            return error;
        if (id[0] != 0x61)
            return Link.Error(SensorErrorKind.WrongDevice, $"chip id 0x{id[0]:X2}, {Known(id[0])}; a BME680 or BME688 has 0x61");
        if (await Link.WriteAsync([Reset, ResetCode], cancellationToken) is { } refused)
            return refused;
        await Link.WaitAsync(10, cancellationToken);
        if (!(await ReadAsync(Variant, 1, cancellationToken)).Has(out var variant, out error))
            return error;
        if (variant[0] > 1)
            return Link.Error(SensorErrorKind.WrongDevice, $"variant 0x{variant[0]:X2} is neither a BME680 (0) nor a BME688 (1)");
        if (
            !(await ReadAsync(BmeCalibration.FirstBlock, BmeCalibration.FirstLength, cancellationToken)).Has(out var first, out error)
            || !(await ReadAsync(BmeCalibration.SecondBlock, BmeCalibration.SecondLength, cancellationToken)).Has(out var second, out error)
            || !(await ReadAsync(BmeCalibration.ThirdBlock, BmeCalibration.ThirdLength, cancellationToken)).Has(out var third, out error)
        )
            return error;
        calibration = BmeCalibration.Parse(first, second, third);
        if (calibration is null)
            return Link.Error(SensorErrorKind.Implausible, "its calibration reads as all 0 or all FF; check supply and wires");
        isHigh = variant[0] == 1;
        heatedAt = null;
        Description = $"{(isHigh ? "BME688" : "BME680")}, gas {gas}";
        return null;
    }

    public override async Task<Outcome<Measurement?>> MeasureAsync(CancellationToken cancellationToken)
    {
        var heats =
            gas == GasMode.LowPower || (gas == GasMode.UltraLowPower && (heatedAt is not { } last || Link.Since(last) >= HeatingInterval));
        if (await Link.WriteAsync(Configuration(heats), cancellationToken) is { } refused)
            return refused;
        await Link.WaitAsync(Cycles + (heats ? GasTime : 0), cancellationToken);
        for (var attempt = 0; attempt < 5; attempt++)
        {
            if (!(await ReadAsync(Status, 17, cancellationToken)).Has(out var block, out var error))
                return error;
            if ((block[0] & 0xA0) == 0x80)
            {
                if (heats)
                    heatedAt = Link.Now;
                return Convert(block, heats);
            }
            await Link.WaitAsync(10, cancellationToken);
        }
        return Link.Error(SensorErrorKind.NoData, "its measurement did not end in time; check its supply");
    }

    Task<Outcome<byte[]>> ReadAsync(byte register, int count, CancellationToken cancellationToken) =>
        Link.WriteReadAsync([register], count, cancellationToken);

    static string Known(byte id) =>
        id switch
        {
            0x58 => "a BMP280, which is read as bmx280",
            0x60 => "a BME280, which is read as bmx280",
            0x00 or 0xFF => "no chip: check the wires",
            _ => "an unknown chip",
        };

    /// <summary>Pairs of register and value; the last one starts the measurement.</summary>
    byte[] Configuration(bool heats)
    {
        var runGas = (byte)(
            !heats ? 0
            : isHigh ? 0x20
            : 0x10
        );
        byte[] heater = heats
            ? [HeaterTarget, calibration!.Heater(HeaterCelsius, ambient), HeaterWait, BmeGas.WaitCode(HeaterMilliseconds), HeaterControl, 0]
            : [HeaterControl, 0x08];
        return
        [
            HumidityControl,
            HumidityCode,
            Filter,
            0,
            .. heater,
            GasControl,
            runGas,
            MeasureControl,
            TemperatureCode << 5 | PressureCode << 2 | 1,
        ];
    }

    Outcome<Measurement?> Convert(byte[] block, bool heated)
    {
        var pressure = Long(block.AsSpan(2));
        var temperature = Long(block.AsSpan(5));
        var humidity = BinaryPrimitives.ReadUInt16BigEndian(block.AsSpan(8));
        if (temperature == SkippedLong)
            return Link.Error(SensorErrorKind.NoData, "it measured nothing, so it has lost its configuration; check its supply");
        var fine = calibration!.Fine(temperature);
        var celsius = fine / 5_120;
        var pascal = pressure == SkippedLong ? null : calibration.Pascal(pressure, fine);
        double? percent = humidity == SkippedShort ? null : calibration.Percent(humidity, fine);
        if (!(celsius is >= -40 and <= 85) || pascal is < 30_000 or > 110_000)
            return Link.Error(
                SensorErrorKind.Implausible,
                string.Create(CultureInfo.InvariantCulture, $"{celsius:0.0} °C, {pascal:0} Pa; check supply and wires")
            );
        ambient = celsius;
        return new Measurement
        {
            Sensor = Id,
            Timestamp = Link.Now,
            MaxAge = TimeSpan.FromSeconds(10),
            Raw = (UInt128)(uint)pressure << 64 | (UInt128)(uint)temperature << 32 | humidity,
            TemperatureC = celsius,
            PressurePa = pascal,
            HumidityPercent = percent,
            GasResistanceOhm = heated ? Ohm(block) : null,
        };
    }

    /// <summary>Null unless the plate was hot and the conversion valid.</summary>
    double? Ohm(byte[] block)
    {
        var word = BinaryPrimitives.ReadUInt16BigEndian(block.AsSpan(isHigh ? 15 : 13));
        const int validAndHot = 0x30;
        if ((word & validAndHot) != validAndHot)
            return null;
        var (adc, range) = (word >> 6, word & 0x0F);
        return isHigh ? BmeGas.OhmHigh(adc, range) : BmeGas.OhmLow(adc, range, calibration!.SwitchingError);
    }

    static int Long(ReadOnlySpan<byte> bytes) => bytes[0] << 12 | bytes[1] << 4 | bytes[2] >> 4;
}
