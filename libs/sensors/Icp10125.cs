using System.Globalization;

namespace ThermalStreaming.Sensors;

/// <summary>
/// Driver for the barometer ICP-10125. The chip has no status: each measurement is one command, a wait for its longest time, and one read.
/// </summary>
/// <param name="link">Link to address 0x63.</param>
/// <param name="mode">Trades time for noise.</param>
sealed class Icp10125(SensorLink link, IcpMode mode) : I2cDriver(link)
{
    /// <summary>Fixed address.</summary>
    public const int Address = 0x63;

    const ushort ReadId = 0xEFC8,
        SoftReset = 0x805D,
        SetCalibrationPointer = 0xC595,
        ReadCalibration = 0xC7F7,
        CalibrationStart = 0x0066;

    /// <summary>Longer than any measurement that a dead program may have begun.</summary>
    const int LongestMeasurement = 95;

    readonly short[] calibration = new short[4];

    public override TimeSpan Interval => TimeSpan.FromSeconds(1);

    public override async Task<SensorError?> StartAsync(CancellationToken cancellationToken)
    {
        var answer = await AskIdAsync(cancellationToken);
        if (answer.Error is { Kind: SensorErrorKind.NotAcknowledged })
        {
            await Link.WaitAsync(LongestMeasurement, cancellationToken);
            answer = await AskIdAsync(cancellationToken);
        }
        if (!answer.Has(out var id, out var error))
            return error;
        if ((id[0] & 0x3F) != 0x08)
            return Link.Error(
                SensorErrorKind.WrongDevice,
                $"another device answers at 0x63 (id 0x{id[0]:X4}); an ICP-10125 has 08 in the last six bits"
            );
        if (await Link.SendAsync(SoftReset, [], 1, cancellationToken) is { } refused)
            return refused;
        if (await Link.SendAsync(SetCalibrationPointer, [CalibrationStart], 0, cancellationToken) is { } noPointer)
            return noPointer;
        for (var i = 0; i < calibration.Length; i++)
        {
            if (!(await Link.AskAsync(ReadCalibration, [], 1, 0, cancellationToken)).Has(out var word, out error))
                return error;
            calibration[i] = (short)word[0];
        }
        Description = $"ICP-10125, {mode}";
        return null;
    }

    public override async Task<Outcome<Measurement?>> MeasureAsync(CancellationToken cancellationToken)
    {
        var (command, longest) = mode switch
        {
            IcpMode.LowPower => ((ushort)0x401A, 1.8),
            IcpMode.Normal => ((ushort)0x48A3, 6.3),
            IcpMode.UltraLowNoise => ((ushort)0x58E0, 94.5),
            _ => ((ushort)0x5059, 23.8),
        };
        if (!(await Link.AskAsync(command, [], 3, longest, cancellationToken)).Has(out var words, out var error))
            return error;
        var pressure = IcpConversion.RawPressure(words[0], words[1]);
        var (pascal, celsius) = (IcpConversion.Pascal(calibration, pressure, words[2]), IcpConversion.Celsius(words[2]));
        if (!(pascal is >= 25_000 and <= 115_000) || celsius is < -40 or > 85)
            return Link.Error(
                SensorErrorKind.Implausible,
                string.Create(CultureInfo.InvariantCulture, $"{pascal:0} Pa at {celsius:0.0} °C")
            );
        return new Measurement
        {
            Sensor = Id,
            Timestamp = Link.Now,
            MaxAge = TimeSpan.FromSeconds(5),
            Raw = (UInt128)pressure << 16 | words[2],
            PressurePa = pascal,
            TemperatureC = celsius,
        };
    }

    Task<Outcome<ushort[]>> AskIdAsync(CancellationToken cancellationToken) => Link.AskAsync(ReadId, [], 1, 0, cancellationToken);
}
