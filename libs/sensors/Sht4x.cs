using System.Globalization;

namespace ThermalStreaming.Sensors;

/// <summary>
/// Driver for SHT40, SHT41, SHT43 and SHT45: temperature and humidity. A command is one byte; the answer is a separate transfer after the
/// execution time. The heater is never used.
/// </summary>
/// <param name="link">Link to address 0x44 or 0x45.</param>
sealed class Sht4x(SensorLink link) : I2cDriver(link)
{
    /// <summary>The address of most parts; that of parts with B in their names.</summary>
    public const int Address = 0x44,
        OtherAddress = 0x45;

    const byte MeasurePrecisely = 0xFD,
        ReadSerial = 0x89,
        SoftReset = 0x94;

    /// <summary>In milliseconds: the data sheet's longest time is 8.3 for a measurement and 1 for a reset.</summary>
    const int Measuring = 9,
        Resetting = 2,
        Short = 1;

    public override TimeSpan Interval => TimeSpan.FromSeconds(2);

    public override async Task<SensorError?> StartAsync(CancellationToken cancellationToken)
    {
        var answer = await AskAsync(ReadSerial, Short, cancellationToken);
        if (answer.Error is { Kind: SensorErrorKind.NotAcknowledged })
        {
            // A measurement begun by a dead program may still be running.
            await Link.WaitAsync(Measuring, cancellationToken);
            answer = await AskAsync(ReadSerial, Short, cancellationToken);
        }
        if (!answer.Has(out var serial, out var error))
            return error.Kind == SensorErrorKind.Checksum && Description.Length == 0
                ? Link.Error(
                    SensorErrorKind.WrongDevice,
                    "the device there does not answer like an SHT4x (is it an SHT3x or INA219?), or the wires garble its serial "
                        + $"number: {error.Text}"
                )
                : error;
        if (await Link.WriteAsync([SoftReset], cancellationToken) is { } refused)
            return refused;
        await Link.WaitAsync(Resetting, cancellationToken);
        Description = string.Create(CultureInfo.InvariantCulture, $"SHT4x, serial {serial[0]:X4}{serial[1]:X4}");
        return null;
    }

    public override async Task<Outcome<Measurement?>> MeasureAsync(CancellationToken cancellationToken)
    {
        if (!(await AskAsync(MeasurePrecisely, Measuring, cancellationToken)).Has(out var words, out var error))
            return error;
        var celsius = Celsius(words[0]);
        if (celsius is < -40 or > 125)
            return Link.Error(
                SensorErrorKind.Implausible,
                string.Create(CultureInfo.InvariantCulture, $"{celsius:0.0} °C; check supply and wires")
            );
        return new Measurement
        {
            Sensor = Id,
            Timestamp = Link.Now,
            MaxAge = TimeSpan.FromSeconds(8),
            Raw = (UInt128)words[0] << 16 | words[1],
            TemperatureC = celsius,
            HumidityPercent = Percent(words[1]),
        };
    }

    /// <returns>°C.</returns>
    internal static double Celsius(ushort word) => -45 + 175.0 * word / 65_535;

    /// <returns>Relative humidity, %: the chip's scale is −6 to 119, and values below 0 and above 100 mean 0 and 100.</returns>
    internal static double Percent(ushort word) => Math.Clamp(-6 + 125.0 * word / 65_535, 0, 100);

    async Task<Outcome<ushort[]>> AskAsync(byte command, int milliseconds, CancellationToken cancellationToken)
    {
        if (await Link.WriteAsync([command], cancellationToken) is { } refused)
            return refused;
        await Link.WaitAsync(milliseconds, cancellationToken);
        return await Link.ReadWordsAsync(2, cancellationToken);
    }
}
