using System.Globalization;

namespace ThermalStreaming.Sensors;

/// <summary>
/// Driver for SCD40, SCD41 and SCD43: CO₂, temperature, humidity. A sensor keeps measuring when its program dies, and then refuses nearly
/// every command, so each start stops it first.
/// </summary>
/// <param name="link">Link to address 0x62.</param>
/// <param name="options">How to use the sensor.</param>
/// <param name="pressurePa">The newest pressure of a barometer, Pa; null if there is none.</param>
sealed class Scd4x(SensorLink link, Scd4xOptions options, Func<double?> pressurePa) : I2cDriver(link)
{
    /// <summary>Fixed address.</summary>
    public const int Address = 0x62;

    /// <summary>
    /// After this many intervals without a value the sensor counts as reset: a power dip leaves it idle, and an idle sensor delivers
    /// nothing.
    /// </summary>
    const int SilentIntervals = 3;

    /// <summary>How long it must have measured the air before a forced recalibration.</summary>
    static readonly TimeSpan Settling = TimeSpan.FromMinutes(3);

    bool isSingleShot;
    ushort? sentPressure;
    long readyAt,
        startedAt;

    public override TimeSpan Interval => isSingleShot ? options.SingleShotInterval : TimeSpan.FromSeconds(1);

    /// <summary>Time between two values.</summary>
    TimeSpan ValueInterval => isSingleShot ? options.SingleShotInterval : TimeSpan.FromSeconds(options.Mode == Scd4xMode.LowPower ? 30 : 5);

    public override async Task<SensorError?> StartAsync(CancellationToken cancellationToken)
    {
        if (await IdentifyAsync(cancellationToken) is { } unknown)
            return unknown;
        if (await ConfigureAsync(cancellationToken) is { } refused)
            return refused;
        sentPressure = null;
        if (await SendPressureAsync(cancellationToken) is { } error)
            return error;
        readyAt = startedAt = Link.Now;
        if (isSingleShot)
            return null;
        var start = options.Mode == Scd4xMode.LowPower ? Scd4xCommand.StartLowPower : Scd4xCommand.StartPeriodic;
        return await Link.SendAsync(start, [], 0, cancellationToken);
    }

    public override async Task<Outcome<Measurement?>> MeasureAsync(CancellationToken cancellationToken)
    {
        if (await SendPressureAsync(cancellationToken) is { } refused)
            return refused;
        if (isSingleShot && await Link.SendAsync(Scd4xCommand.SingleShot, [], Scd4xCommand.Measuring, cancellationToken) is { } notStarted)
            return notStarted;
        // Asking first is necessary: a read from an empty buffer is refused, and may upset the self-calibration.
        if (!(await AskAsync(Scd4xCommand.DataReady, cancellationToken)).Has(out var ready, out var error))
            return error;
        if (!Scd4xConversion.IsReady(ready[0]))
        {
            if (Link.Since(readyAt) < SilentIntervals * ValueInterval)
                return (Measurement?)null;
            return Link.Error(
                SensorErrorKind.NoData,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"no new value for {Link.Since(readyAt).TotalSeconds:0} s, so it has lost its state; check its supply: it draws up "
                        + $"to 205 mA"
                )
            );
        }
        // The sensor is measuring, even if this value is bad: a garbled or impossible value is a separate error, not a lost state.
        readyAt = Link.Now;
        var answer = await Link.AskAsync(Scd4xCommand.ReadMeasurement, [], 3, Scd4xCommand.Usual, cancellationToken);
        return answer.Has(out var words, out error) ? Convert(words) : error;
    }

    public override bool HasSelfTest => true;

    public override SensorCalibration Calibration { get; } = new("ppm CO2 of the air around it", 400, 2_000);

    public override async Task<Outcome<string>> SelfTestAsync(CancellationToken cancellationToken)
    {
        if (await StopAsync(cancellationToken) is { } notStopped)
            return notStopped;
        if (!(await Link.AskAsync(Scd4xCommand.SelfTest, [], 1, Scd4xCommand.Testing, cancellationToken)).Has(out var words, out var error))
            return error;
        return words[0] == 0
            ? "its self-test found no fault"
            : Link.Error(
                SensorErrorKind.Refused,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"its self-test found a fault (0x{words[0]:X4}); check its supply (205 mA in pulses), else replace it"
                )
            );
    }

    public override async Task<Outcome<double>> CalibrateAsync(double reference, CancellationToken cancellationToken)
    {
        if (Link.Since(startedAt) < Settling)
            return Link.Error(
                SensorErrorKind.Refused,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"it has measured for {Link.Since(startedAt).TotalSeconds:0} s; let it measure the same air for 3 minutes first"
                )
            );
        var result = await RecalibrateAsync((int)Math.Round(reference), cancellationToken);
        return result.Has(out var correction, out var error) ? correction : error;
    }

    Task<SensorError?> StopAsync(CancellationToken cancellationToken) =>
        isSingleShot
            ? Task.FromResult<SensorError?>(null)
            : Link.SendAsync(Scd4xCommand.StopPeriodic, [], Scd4xCommand.Stopping, cancellationToken);

    /// <summary>
    /// Forced recalibration to air of known CO₂, after the sensor has measured it for 3 minutes in the mode that it will use later. The
    /// sensor is idle afterwards.
    /// </summary>
    /// <param name="targetPpm">CO₂ of the air, ppm, 400 to 2,000.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The correction in ppm.</returns>
    public async Task<Outcome<int>> RecalibrateAsync(int targetPpm, CancellationToken cancellationToken)
    {
        if (await StopAsync(cancellationToken) is { } notStopped)
            return notStopped;
        var answer = await Link.AskAsync(
            Scd4xCommand.ForcedRecalibration,
            [(ushort)targetPpm],
            1,
            Scd4xCommand.Recalibrating,
            cancellationToken
        );
        if (!answer.Has(out var words, out var error))
            return error;
        return Scd4xConversion.Correction(words[0]) is { } correction
            ? correction
            : Link.Error(SensorErrorKind.Refused, "the forced recalibration failed; let it measure the same air for 3 minutes first");
    }

    async Task<SensorError?> IdentifyAsync(CancellationToken cancellationToken)
    {
        // The one query that the sensor answers in every mode except sleep.
        if ((await AskAsync(Scd4xCommand.DataReady, cancellationToken)).Error is { } silent)
        {
            if (silent.Kind != SensorErrorKind.NotAcknowledged)
                return silent;
            // The sensor never acknowledges waking up.
            if (await Link.SendAsync(Scd4xCommand.WakeUp, [], 0, cancellationToken) is { Kind: SensorErrorKind.Bus } down)
                return down;
            await Link.WaitAsync(Scd4xCommand.Waking, cancellationToken);
            if ((await AskAsync(Scd4xCommand.DataReady, cancellationToken)).Error is { } absent && await IsAbsentAsync(absent))
                return absent;
        }
        // An idle sensor may refuse this.
        if (await Link.SendAsync(Scd4xCommand.StopPeriodic, [], 0, cancellationToken) is { Kind: SensorErrorKind.Bus } gone)
            return gone;
        await Link.WaitAsync(Scd4xCommand.Stopping, cancellationToken);
        var answer = await Link.AskAsync(Scd4xCommand.SerialNumber, [], 3, Scd4xCommand.Usual, cancellationToken);
        if (answer.Error is { Kind: not SensorErrorKind.Bus })
        {
            await Link.WaitAsync(100, cancellationToken);
            answer = await Link.AskAsync(Scd4xCommand.SerialNumber, [], 3, Scd4xCommand.Usual, cancellationToken);
        }
        if (!answer.Has(out var serial, out var error))
            return error;
        var variant = Scd4xVariant.Unknown;
        var kind = await AskAsync(Scd4xCommand.Variant, cancellationToken);
        if (kind.Has(out var words, out error))
            variant = Enum.IsDefined((Scd4xVariant)(words[0] >> 12)) ? (Scd4xVariant)(words[0] >> 12) : Scd4xVariant.Unknown;
        else if (error.Kind != SensorErrorKind.NotAcknowledged)
            return error;
        isSingleShot = options.Mode == Scd4xMode.SingleShot && variant is Scd4xVariant.Scd41 or Scd4xVariant.Scd43;
        Description = string.Create(
            CultureInfo.InvariantCulture,
            $"{Name(variant)}, serial {WordProtocol.Serial(serial):X12}, {ModeText()}"
        );
        return null;

        // During a single shot begun by a dead program, the sensor answers nothing.
        async Task<bool> IsAbsentAsync(SensorError error)
        {
            if (options.Mode != Scd4xMode.SingleShot || error.Kind != SensorErrorKind.NotAcknowledged)
                return true;
            await Link.WaitAsync(Scd4xCommand.Measuring, cancellationToken);
            return (await AskAsync(Scd4xCommand.DataReady, cancellationToken)).Error is not null;
        }
    }

    string ModeText() =>
        options.Mode switch
        {
            Scd4xMode.LowPower => "low power",
            Scd4xMode.SingleShot when isSingleShot => "single shot",
            Scd4xMode.SingleShot => "periodic, because it has no single shot",
            _ => "periodic",
        };

    static string Name(Scd4xVariant variant) => variant == Scd4xVariant.Unknown ? "SCD4x" : variant.ToString().ToUpperInvariant();

    async Task<SensorError?> ConfigureAsync(CancellationToken cancellationToken)
    {
        var changed = false;
        (ushort Get, ushort Set, ushort? Wanted)[] settings =
        [
            (
                Scd4xCommand.GetTemperatureOffset,
                Scd4xCommand.SetTemperatureOffset,
                options.TemperatureOffsetC is { } celsius ? Scd4xConversion.OffsetWord(celsius) : null
            ),
            (Scd4xCommand.GetAltitude, Scd4xCommand.SetAltitude, (ushort?)options.AltitudeMetres),
            (
                Scd4xCommand.GetSelfCalibration,
                Scd4xCommand.SetSelfCalibration,
                options.SelfCalibration is { } isOn ? (ushort)(isOn ? 1 : 0) : null
            ),
        ];
        foreach (var (get, set, wanted) in settings)
        {
            if (wanted is not { } word)
                continue;
            if (!(await AskAsync(get, cancellationToken)).Has(out var current, out var error))
                return error;
            if (current[0] == word)
                continue;
            if (await Link.SendAsync(set, [word], Scd4xCommand.Usual, cancellationToken) is { } refused)
                return refused;
            changed = true;
        }
        // The memory lasts for 2,000 writes.
        return changed ? await Link.SendAsync(Scd4xCommand.PersistSettings, [], Scd4xCommand.Persisting, cancellationToken) : null;
    }

    async Task<SensorError?> SendPressureAsync(CancellationToken cancellationToken)
    {
        if (pressurePa() is not { } pascal || Scd4xConversion.PressureWord(pascal) is not { } word || word == sentPressure)
            return null;
        // One hectopascal is 0.1 % of CO2. Without this, a pressure between two values would be sent again and again.
        if (sentPressure is { } sent && Math.Abs(pascal / 100 - sent) < 1)
            return null;
        var error = await Link.SendAsync(Scd4xCommand.AmbientPressure, [word], Scd4xCommand.Usual, cancellationToken);
        if (error is null)
            sentPressure = word;
        return error;
    }

    Outcome<Measurement?> Convert(ushort[] words)
    {
        var (co2, celsius, percent) = (words[0], Scd4xConversion.Celsius(words[1]), Scd4xConversion.Percent(words[2]));
        if (co2 is 0 or > 40_000)
            return Link.Error(SensorErrorKind.Implausible, $"CO2 of {co2} ppm; check its supply (205 mA in pulses), else it is damaged");
        if (celsius is < -40 or > 85)
            return Link.Error(
                SensorErrorKind.Implausible,
                string.Create(CultureInfo.InvariantCulture, $"a temperature of {celsius:0.0} °C")
            );
        return new Measurement
        {
            Sensor = Id,
            Timestamp = Link.Now,
            MaxAge = SilentIntervals * ValueInterval,
            Raw = WordProtocol.Serial(words),
            Co2Ppm = co2,
            TemperatureC = celsius,
            HumidityPercent = percent,
        };
    }

    Task<Outcome<ushort[]>> AskAsync(ushort command, CancellationToken cancellationToken) =>
        Link.AskAsync(command, [], 1, Scd4xCommand.Usual, cancellationToken);
}
