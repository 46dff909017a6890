using System.Buffers.Binary;
using System.Globalization;

namespace ThermalStreaming.Sensors;

/// <summary>
/// Driver for BME280 and BMP280: temperature, pressure, and humidity of the BME280. There are no checksums and a power dip silently clears
/// every register. So the calibration is read twice, each measurement writes the whole configuration, and results count only if the chip
/// still has it.
/// </summary>
/// <param name="link">Link to address 0x76 or 0x77.</param>
sealed class Bmx280(SensorLink link) : I2cDriver(link)
{
    /// <summary>The two addresses that its pin SDO selects.</summary>
    public const int LowAddress = 0x76,
        HighAddress = 0x77;

    const byte ChipId = 0xD0,
        Reset = 0xE0,
        ResetCode = 0xB6,
        HumidityControl = 0xF2,
        Status = 0xF3,
        MeasureControl = 0xF4,
        Configuration = 0xF5;

    const byte Bme280Id = 0x60;

    /// <summary>Bits of <see cref="Status"/>: a conversion is running; the chip is copying its calibration after a reset.</summary>
    const byte Converts = 0x08,
        Copies = 0x01;

    /// <summary>Oversampling ×2, ×16 and ×1 of temperature, pressure and humidity, and one measurement on request.</summary>
    const byte Sampling = 2 << 5 | 5 << 2,
        Forced = 1,
        HumiditySampling = 1;

    /// <summary>Duration with that oversampling, in milliseconds: the data sheets' longest time.</summary>
    const double Measuring = 1.25 + 2.3 * 2 + 2.3 * 16 + 0.575 + 2.3 + 0.575;

    const int SkippedLong = 0x80000,
        SkippedShort = 0x8000;

    Bmx280Calibration? calibration;
    bool hasHumidity;

    public override TimeSpan Interval => TimeSpan.FromSeconds(3);

    public override async Task<SensorError?> StartAsync(CancellationToken cancellationToken)
    {
        if (!(await ReadAsync(ChipId, 1, cancellationToken)).Has(out var id, out var error))
            return error;
        if (NameOf(id[0]) is not { } name)
            return Link.Error(SensorErrorKind.WrongDevice, $"chip id 0x{id[0]:X2}, {Known(id[0])}; a BME280 has 0x60, a BMP280 0x58");
        hasHumidity = id[0] == Bme280Id;
        if (await Link.WriteAsync([Reset, ResetCode], cancellationToken) is { } refused)
            return refused;
        // The chip acknowledges nothing for 2 ms, and then copies its calibration.
        await Link.WaitAsync(5, cancellationToken);
        if (await WaitForCopyAsync(cancellationToken) is { } copying)
            return copying;
        if (!(await ReadCalibrationAsync(cancellationToken)).Has(out var once, out error))
            return error;
        if (!(await ReadCalibrationAsync(cancellationToken)).Has(out var again, out error))
            return error;
        if (once != again)
            return Link.Error(SensorErrorKind.Checksum, "two reads of its calibration differ; shorten the wires if this comes often");
        calibration = once;
        Description = name;
        return null;
    }

    public override async Task<Outcome<Measurement?>> MeasureAsync(CancellationToken cancellationToken)
    {
        byte[] begin = [Configuration, 0, MeasureControl, Sampling | Forced];
        // The humidity setting takes effect with the next write of the other one.
        if (await Link.WriteAsync(hasHumidity ? [HumidityControl, HumiditySampling, .. begin] : begin, cancellationToken) is { } refused)
            return refused;
        await Link.WaitAsync(Measuring, cancellationToken);
        for (var attempt = 0; attempt < 5; attempt++)
        {
            if (!(await ReadAsync(Status, hasHumidity ? 12 : 10, cancellationToken)).Has(out var block, out var error))
                return error;
            if ((block[0] & Converts) == 0)
                return Convert(block);
            await Link.WaitAsync(10, cancellationToken);
        }
        return Link.Error(SensorErrorKind.NoData, "its measurement did not end in time; check its supply");
    }

    Task<Outcome<byte[]>> ReadAsync(byte register, int count, CancellationToken cancellationToken) =>
        Link.WriteReadAsync([register], count, cancellationToken);

    async Task<SensorError?> WaitForCopyAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < 5; attempt++)
        {
            if (!(await ReadAsync(Status, 1, cancellationToken)).Has(out var status, out var error))
                return error;
            if ((status[0] & Copies) == 0)
                return null;
            await Link.WaitAsync(5, cancellationToken);
        }
        return Link.Error(SensorErrorKind.NoData, "it does not finish starting; check its supply");
    }

    async Task<Outcome<Bmx280Calibration>> ReadCalibrationAsync(CancellationToken cancellationToken)
    {
        if (
            !(await ReadAsync(Bmx280Calibration.FirstBlock, Bmx280Calibration.FirstLength, cancellationToken)).Has(
                out var first,
                out var error
            )
        )
            return error;
        byte[]? humidity = [];
        if (
            hasHumidity
            && !(await ReadAsync(Bmx280Calibration.HumidityBlock, Bmx280Calibration.HumidityLength, cancellationToken)).Has(
                out humidity,
                out error
            )
        )
            return error!;
        return Bmx280Calibration.Parse(first, humidity) is { } parsed
            ? parsed
            : Link.Error(SensorErrorKind.Implausible, "its calibration reads as all 0 or all FF; check supply and wires");
    }

    Outcome<Measurement?> Convert(byte[] block)
    {
        // After a measurement the chip sleeps, with the same sampling.
        if (block[MeasureControl - Status] != Sampling)
            return Link.Error(SensorErrorKind.NoData, "it was reset while it measured, probably by a power dip; check its supply");
        var (pressure, temperature) = (Long(block.AsSpan(4)), Long(block.AsSpan(7)));
        var humidity = hasHumidity ? BinaryPrimitives.ReadUInt16BigEndian(block.AsSpan(10)) : (ushort)SkippedShort;
        if (temperature == SkippedLong)
            return Link.Error(SensorErrorKind.NoData, "it has measured nothing; check its supply");
        var fine = calibration!.Fine(temperature);
        var celsius = fine / 5_120;
        var pascal = pressure == SkippedLong ? null : calibration.Pascal(pressure, fine);
        if (!(celsius is >= -40 and <= 85) || pascal is < 30_000 or > 110_000)
            return Link.Error(
                SensorErrorKind.Implausible,
                string.Create(CultureInfo.InvariantCulture, $"{celsius:0.0} °C, {pascal:0} Pa; check supply and wires")
            );
        return new Measurement
        {
            Sensor = Id,
            Timestamp = Link.Now,
            MaxAge = TimeSpan.FromSeconds(10),
            Raw = (UInt128)(uint)pressure << 64 | (UInt128)(uint)temperature << 32 | humidity,
            TemperatureC = celsius,
            PressurePa = pascal,
            HumidityPercent = humidity == SkippedShort ? null : calibration.Percent(humidity, fine),
        };
    }

    static string? NameOf(byte id) =>
        id switch
        {
            Bme280Id => "BME280",
            // 0x56 and 0x57 are engineering samples.
            0x56 or 0x57 or 0x58 => "BMP280",
            _ => null,
        };

    static string Known(byte id) =>
        id switch
        {
            0x61 => "a BME680 or BME688, which is read as bme68x",
            0x00 or 0xFF => "no chip: check the wires",
            _ => "an unknown chip",
        };

    static int Long(ReadOnlySpan<byte> bytes) => bytes[0] << 12 | bytes[1] << 4 | bytes[2] >> 4;
}
