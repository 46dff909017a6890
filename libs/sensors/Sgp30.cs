using System.Globalization;

namespace ThermalStreaming.Sensors;

/// <summary>
/// Driver for the gas sensor SGP30: equivalent CO₂ and TVOC. Its algorithm counts its calls as seconds, so it is called once a second,
/// whoever wants the values. For 15 s after its initialisation it has no values.
/// </summary>
/// <param name="link">Link to address 0x58.</param>
/// <param name="baselines">Keeps its baseline.</param>
/// <param name="air">The newest temperature, °C, and relative humidity, %, at most 10 minutes old; null if there is none.</param>
/// <param name="now">The present, for the age of a baseline.</param>
sealed class Sgp30(SensorLink link, BaselineFile baselines, Func<(double Celsius, double Percent)?> air, Func<Moment> now) : I2cDriver(link)
{
    /// <summary>Fixed address.</summary>
    public const int Address = 0x58;

    const ushort Initialise = 0x2003,
        Measure = 0x2008,
        GetBaseline = 0x2015,
        SetBaseline = 0x201E,
        SetHumidity = 0x2061,
        GetFeatureSet = 0x202F,
        GetSerial = 0x3682;

    /// <summary>Milliseconds: the longest of the data sheet.</summary>
    const int Usual = 10,
        Measuring = 12;

    const ushort CleanEquivalentCo2 = 400,
        MostOfBoth = 60_000;

    static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(15),
        HumidityInterval = TimeSpan.FromMinutes(1),
        SaveInterval = TimeSpan.FromHours(1);

    /// <summary>How long a sensor that began without a baseline must learn before its baseline is worth keeping.</summary>
    static readonly TimeSpan Learning = TimeSpan.FromHours(12);

    /// <summary>
    /// A sensor without a baseline has one an hour after its initialisation. Only then does "none" mean that it was reset.
    /// </summary>
    static readonly TimeSpan FirstBaseline = TimeSpan.FromMinutes(65);

    /// <summary>How often to read the baseline while the values are those of clean air, which a reset sensor also reports.</summary>
    static readonly TimeSpan Doubt = TimeSpan.FromMinutes(1);

    /// <summary>A gap in its calls that does its algorithm no harm.</summary>
    static readonly TimeSpan HarmlessGap = TimeSpan.FromSeconds(10);

    /// <summary>Air does not saturate it for this long; a wrong baseline does.</summary>
    static readonly TimeSpan MostSaturation = TimeSpan.FromMinutes(10);

    ulong serial;
    bool isInitialised,
        hadBaseline;
    long initialisedAt,
        measuredAt,
        checkedAt,
        humidityAt;
    long? cleanCheckedAt,
        saturatedSince;

    /// <summary>A baseline whose age is not known yet, because the clock is not synchronised.</summary>
    Sgp30Baseline? doubtful;
    ushort humidity;
    TimeSpan keepAfter;

    public override TimeSpan Interval => TimeSpan.FromSeconds(1);

    public override async Task<SensorError?> StartAsync(CancellationToken cancellationToken)
    {
        if (!(await Link.AskAsync(GetFeatureSet, [], 1, Usual, cancellationToken)).Has(out var features, out var error))
            return error;
        if (features[0] >> 12 != 0)
            return Link.Error(
                SensorErrorKind.WrongDevice,
                $"another device answers at 0x58 (feature set 0x{features[0]:X4}); an SGP30 begins with 0"
            );
        if (!(await Link.AskAsync(GetSerial, [], 3, 1, cancellationToken)).Has(out var words, out error))
            return error;
        var isSame = isInitialised && serial == WordProtocol.Serial(words);
        serial = WordProtocol.Serial(words);
        Description = string.Create(CultureInfo.InvariantCulture, $"SGP30, serial {serial:X12}, feature set {features[0] & 0xFF:X2}");
        if (isSame)
        {
            // The sensor may have kept measuring: an initialisation would erase what it has learned.
            if (!(await AskBaselineAsync(cancellationToken)).Has(out var baseline, out error))
                return error;
            if (baseline[0] != 0 || (!MustHaveBaseline && Link.Since(measuredAt) < HarmlessGap))
                return null;
        }
        return await InitialiseAsync(baselines.Load(serial), cancellationToken);
    }

    /// <summary>A restart does not end saturation, and would cost the sensor its cadence.</summary>
    public override bool ContinuesAfter(SensorErrorKind kind) => kind == SensorErrorKind.Implausible;

    public override async Task<Outcome<Measurement?>> MeasureAsync(CancellationToken cancellationToken)
    {
        if (!(await Link.AskAsync(Measure, [], 2, Measuring, cancellationToken)).Has(out var words, out var error))
            return error;
        measuredAt = Link.Now;
        if (await CompensateAsync(cancellationToken) is { } refused)
            return refused;
        if (await JudgeBaselineAsync(cancellationToken) is { } notSet)
            return notSet;
        if (Link.Clock.GetElapsedTime(initialisedAt, measuredAt) < WarmUp)
            return (Measurement?)null;
        var (equivalent, tvoc) = (words[0], words[1]);
        if (equivalent is < CleanEquivalentCo2 or >= MostOfBoth || tvoc >= MostOfBoth)
            return await SaturatedAsync(equivalent, tvoc, cancellationToken);
        saturatedSince = null;
        if (await CheckBaselineAsync(isClean: words is [CleanEquivalentCo2, 0], cancellationToken) is { } failed)
            return failed;
        return new Measurement
        {
            Sensor = Id,
            Timestamp = measuredAt,
            MaxAge = TimeSpan.FromSeconds(5),
            Raw = (UInt128)equivalent << 16 | tvoc,
            EquivalentCo2Ppm = equivalent,
            TvocPpb = tvoc,
        };
    }

    bool MustHaveBaseline => hadBaseline || Link.Since(initialisedAt) > FirstBaseline;

    async Task<SensorError?> InitialiseAsync(Sgp30Baseline? kept, CancellationToken cancellationToken)
    {
        isInitialised = false;
        if (await Link.SendAsync(Initialise, [], Usual, cancellationToken) is { } refused)
            return refused;
        initialisedAt = measuredAt = checkedAt = humidityAt = Link.Now;
        (humidity, cleanCheckedAt, saturatedSince, hadBaseline, keepAfter) = (0, null, null, false, Learning);
        var isFresh = kept is { EquivalentCo2: not 0 } && kept.Serial == serial ? kept.IsFresh(now()) : false;
        doubtful = isFresh is null ? kept : null;
        if (isFresh == true)
        {
            // Read as CO2 and TVOC, written as TVOC and CO2: this is what the data sheet says.
            if (await Link.SendAsync(SetBaseline, [kept!.Tvoc, kept.EquivalentCo2], Usual, cancellationToken) is { } notSet)
                return notSet;
            (hadBaseline, keepAfter) = (true, SaveInterval);
        }
        isInitialised = true;
        return await SendHumidityAsync(cancellationToken);
    }

    /// <summary>
    /// Initialises the sensor again with the kept baseline as soon as its age is known: a Pi has its time a minute after its start, and the
    /// data sheet wants a baseline right after the initialisation. If that takes longer than the sensor needs for its own baseline, the
    /// kept one is not used.
    /// </summary>
    async Task<SensorError?> JudgeBaselineAsync(CancellationToken cancellationToken)
    {
        if (doubtful is not { } kept)
            return null;
        var isFresh = Link.Since(initialisedAt) < FirstBaseline ? kept.IsFresh(now()) : false;
        if (isFresh == true)
            return await InitialiseAsync(kept, cancellationToken);
        if (isFresh == false)
            doubtful = null;
        return null;
    }

    Task<SensorError?> CompensateAsync(CancellationToken cancellationToken) =>
        Link.Since(humidityAt) < HumidityInterval ? Task.FromResult<SensorError?>(null) : SendHumidityAsync(cancellationToken);

    async Task<SensorError?> SendHumidityAsync(CancellationToken cancellationToken)
    {
        // 0 switches the compensation off, which is better than hour-old humidity.
        var word = air() is { } current ? AbsoluteHumidity.Word(AbsoluteHumidity.Of(current.Celsius, current.Percent)) : (ushort)0;
        if (word != humidity)
        {
            if (await Link.SendAsync(SetHumidity, [word], Usual, cancellationToken) is { } refused)
                return refused;
            humidity = word;
        }
        humidityAt = Link.Now;
        return null;
    }

    /// <summary>
    /// Saves the baseline every hour, and checks that there still is one: 400 ppm and 0 ppb mean clean air, or a sensor that lost its
    /// state, and only the latter has no baseline.
    /// </summary>
    async Task<SensorError?> CheckBaselineAsync(bool isClean, CancellationToken cancellationToken)
    {
        var isDue = Link.Since(checkedAt) >= SaveInterval;
        if (!isClean)
            cleanCheckedAt = null;
        if (!isDue && (!isClean || (cleanCheckedAt is { } last && Link.Since(last) < Doubt)))
            return null;
        if (!(await AskBaselineAsync(cancellationToken)).Has(out var words, out var error))
            return error;
        if (isClean)
            cleanCheckedAt = Link.Now;
        if (isDue)
            checkedAt = Link.Now;
        if (words[0] == 0 && MustHaveBaseline)
            return await InitialiseAsync(baselines.Load(serial), cancellationToken)
                ?? Link.Error(SensorErrorKind.Implausible, "it was reset, probably by a power dip; initialised it again");
        if (isDue && words[0] != 0 && Link.Since(initialisedAt) >= keepAfter)
            baselines.Save(new Sgp30Baseline(serial, words[0], words[1], now()));
        return null;
    }

    async Task<Outcome<ushort[]>> AskBaselineAsync(CancellationToken cancellationToken)
    {
        var answer = await Link.AskAsync(GetBaseline, [], 2, Usual, cancellationToken);
        hadBaseline |= answer.Value is [not 0, _];
        return answer;
    }

    async Task<SensorError> SaturatedAsync(ushort equivalent, ushort tvoc, CancellationToken cancellationToken)
    {
        saturatedSince ??= Link.Now;
        if (Link.Since(saturatedSince.Value) >= MostSaturation && await InitialiseAsync(null, cancellationToken) is { } refused)
            return refused;
        return Link.Error(
            SensorErrorKind.Implausible,
            string.Create(
                CultureInfo.InvariantCulture,
                $"eCO2 {equivalent} ppm, TVOC {tvoc} ppb: saturated, or its baseline is wrong; bring it into fresh air. After 10 "
                    + $"minutes it starts again without its baseline"
            )
        );
    }
}
