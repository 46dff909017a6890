using Google.Protobuf;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;
using ThermalStreaming.Sensors;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// Tells when readings were taken. Samplers stamp readings with the time since the machine's start, which nobody can set; when a batch is
/// stored, the offset to the time of day is added. While the kernel says that the clock is not synchronised, the batch is stored with a
/// reference (<see cref="ClockReference"/>), held back, and gets its times when it is published. Thread-safe.
/// </summary>
sealed partial class ReadingClock
{
    const string Part = "clock";

    /// <summary>
    /// The system clock runs at the rate of the monotonic one, so any difference is a step. NTP clients step it for more than this, and
    /// adjust its rate for less.
    /// </summary>
    static readonly TimeSpan LeastStep = TimeSpan.FromMilliseconds(100);

    /// <summary>Two clocks read within this time count as read together.</summary>
    static readonly TimeSpan Exact = TimeSpan.FromMilliseconds(1);

    readonly Lock gate = new();
    readonly SteadyOffset[] steady = [new(), new()];
    readonly TimeSpan patience;
    readonly Kernel kernel;
    readonly ClockFixes fixes;
    readonly Health health;
    readonly TimeProvider clock;
    readonly ILogger logger;
    readonly string bootId;
    TimeSpan offset;
    TimeSpan waitsSince;
    TimeSpan? confirmed;
    volatile ClockSynchronisation state;
    bool hasLooked;
    long steps;

    public ReadingClock(
        AgentOptions options,
        Kernel kernel,
        AgentMetrics metrics,
        Health health,
        TimeProvider clock,
        ILogger<ReadingClock> logger
    )
    {
        patience = options.ClockPatience;
        this.kernel = kernel;
        this.health = health;
        this.clock = clock;
        this.logger = logger;
        // Without a boot id from the kernel, each process counts as a start of the machine.
        bootId = kernel.BootId ?? Guid.NewGuid().ToString("N");
        fixes = new ClockFixes(options.DataDirectory, logger);
        confirmed = fixes.Confirmed(bootId);
        (offset, _) = Measure();
        // The clock was right before in this start of the machine, and has been stepped at an unknown time since.
        waitsSince = confirmed is null ? TimeSpan.Zero : kernel.SinceBoot();
        Update();
        metrics.Observe(this);
    }

    /// <summary>The state of the clock at the last <see cref="Update"/>; <see cref="ClockWatch"/> makes one every second.</summary>
    public ClockSynchronisation State => state;

    /// <summary>For how long readings have been held back for the clock; null if they were not at the last <see cref="Update"/>.</summary>
    public TimeSpan? WaitsFor
    {
        get
        {
            lock (gate)
                return state == ClockSynchronisation.Waiting ? kernel.SinceBoot() - waitsSince : null;
        }
    }

    /// <summary>How often the clock was stepped while this process was watching.</summary>
    public long Steps => Volatile.Read(ref steps);

    /// <summary>How far the machine's clock is from its reference; null while it follows none.</summary>
    public (TimeSpan Offset, TimeSpan MaxError)? Deviation => kernel.ClockDeviation();

    /// <summary>A sampler's stamp for a reading: microseconds since the machine's start.</summary>
    public long SinceBootUs => kernel.SinceBoot().Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>The present time, as far as it is known.</summary>
    public Moment Now()
    {
        lock (gate)
            return new Moment(
                Update() is ClockSynchronisation.Synchronised or ClockSynchronisation.Unknown ? clock.GetUtcNow() : null,
                bootId,
                kernel.SinceBoot()
            );
    }

    /// <summary>
    /// Looks at the clock. Logs steps and changes of its synchronisation, each once, and stores what NTP has confirmed: this may wait for
    /// the disk.
    /// </summary>
    public ClockSynchronisation Update()
    {
        lock (gate)
        {
            fixes.Save();
            // Asked before and after: otherwise a step in between could make a wrong time count as confirmed by NTP.
            var isSynchronised = kernel.IsClockSynchronised();
            var (measured, doubt) = Measure();
            if (isSynchronised == true && kernel.IsClockSynchronised() != true)
                isSynchronised = false;
            if (doubt >= LeastStep / 2)
            {
                // Nothing was learned; the next one follows in a second at most.
                if (hasLooked)
                    return state;
                isSynchronised = isSynchronised is null ? null : false;
            }
            if ((measured - offset).Duration() >= LeastStep)
            {
                steps++;
                LogStep((measured - offset).TotalSeconds);
                offset = measured;
            }
            if (isSynchronised == true && !IsConfirmed)
            {
                confirmed = offset;
                fixes.Add(new ClockFix(bootId, kernel.SinceBoot(), offset, IsFlagged: false));
            }
            Change(Judge(isSynchronised));
            return state;
        }
    }

    /// <summary>
    /// Turns the stamps of a batch, and the agent's start in its host, into times of day. They are final, or <see cref="Finish"/> corrects
    /// them.
    /// </summary>
    public void Stamp(ReadingBatch batch)
    {
        lock (gate)
        {
            var isWaiting = Update() == ClockSynchronisation.Waiting;
            var series = steady[batch.Inverters.Count > 0 ? 1 : 0];
            var offsetUs = Microseconds(offset);
            if (isWaiting)
            {
                batch.Clock = new ClockReference { KernelBootId = bootId, OffsetUs = offsetUs };
                series.Forget();
            }
            else if (state == ClockSynchronisation.Unsynchronised)
                batch.Quality = ClockFlag.Unsynchronised;
            foreach (var reading in batch.Thermal)
            {
                var (time, flag) = Dated(reading.ObservedAtUs);
                reading.ObservedAtUs = time;
                ClockFlag.Add(reading, flag);
            }
            foreach (var reading in batch.Inverters)
            {
                var (time, flag) = Dated(reading.ObservedAtUs);
                reading.ObservedAtUs = time;
                ClockFlag.Add(reading, flag);
            }
            StampHost(batch);

            (long TimeUs, string? Flag) Dated(long sinceBootUs)
            {
                if (isWaiting)
                    return (sinceBootUs + offsetUs, null);
                var own = series.Next(TimeSpan.FromMicroseconds(sinceBootUs), offset);
                return (
                    sinceBootUs + Microseconds(own),
                    state != ClockSynchronisation.Unsynchronised && own - offset >= LeastStep ? ClockFlag.Adjusting : null
                );
            }
        }
    }

    /// <summary>Turns only the agent's start into a time of day.</summary>
    public void StampHost(ReadingBatch batch)
    {
        // Batches share the host.
        batch.Host = batch.Host?.Clone();
        lock (gate)
        {
            if (batch.Host is { } host)
                host.StartedAtUs += Microseconds(offset);
        }
    }

    /// <summary>A stored batch with its final times, the same ones on every call.</summary>
    /// <param name="batch">Serialised, with a <see cref="ClockReference"/>.</param>
    /// <param name="movedBy">By how much its times were corrected.</param>
    /// <returns>Null while the clock is not known yet.</returns>
    public byte[]? Finish(ReadOnlySpan<byte> batch, out TimeSpan movedBy)
    {
        movedBy = TimeSpan.Zero;
        var finished = ReadingBatch.Parser.ParseFrom(batch);
        var reference = finished.Clock;
        var times = finished
            .Thermal.Select(reading => reading.ObservedAtUs)
            .Concat(finished.Inverters.Select(reading => reading.ObservedAtUs));
        if (Find(reference.KernelBootId, TimeSpan.FromMicroseconds(times.Max() - reference.OffsetUs)) is not { } fix)
            return null;
        var moveUs = fix.IsFlagged ? 0 : Microseconds(fix.Offset) - reference.OffsetUs;
        if (fix.IsFlagged)
            finished.Quality = ClockFlag.Unsynchronised;
        foreach (var reading in finished.Thermal)
            reading.ObservedAtUs += moveUs;
        foreach (var reading in finished.Inverters)
            reading.ObservedAtUs += moveUs;
        if (finished.Host is { } host)
            host.StartedAtUs += moveUs;
        finished.Clock = null;
        movedBy = TimeSpan.FromMicroseconds(moveUs);
        return finished.ToByteArray();
    }

    /// <summary>Why readings are held back, for a person.</summary>
    public string WaitingText
    {
        get
        {
            var left = waitsSince + patience - kernel.SinceBoot();
            return "The machine's clock is not synchronised yet: readings are kept here and published with the right time when it is, or as "
                + $"they are in {Math.Max(0, left.TotalMinutes):0.0} min (CLOCK_PATIENCE). See timedatectl; NTP needs UDP port 123";
        }
    }

    bool IsConfirmed => confirmed is { } right && (right - offset).Duration() < LeastStep;

    ClockFix? Find(string boot, TimeSpan takenAt)
    {
        lock (gate)
        {
            if (fixes.Find(boot, takenAt) is { } known)
                return known;
            // Another start of the machine: how far its clock was from the right time is lost.
            if (boot != bootId)
                return new ClockFix(boot, TimeSpan.MaxValue, default, IsFlagged: true);
            if (Update() == ClockSynchronisation.Waiting)
                return null;
            var fix = new ClockFix(bootId, kernel.SinceBoot(), offset, IsFlagged: state != ClockSynchronisation.Synchronised);
            fixes.Add(fix);
            return fix;
        }
    }

    ClockSynchronisation Judge(bool? isSynchronised)
    {
        if (isSynchronised is not { } follows)
            return ClockSynchronisation.Unknown;
        // After hours without NTP the kernel calls the clock unsynchronised, but it is as good as before until somebody sets it.
        if (follows || IsConfirmed)
            return ClockSynchronisation.Synchronised;
        if (hasLooked && state == ClockSynchronisation.Synchronised)
            waitsSince = kernel.SinceBoot();
        return kernel.SinceBoot() - waitsSince < patience ? ClockSynchronisation.Waiting : ClockSynchronisation.Unsynchronised;
    }

    void Change(ClockSynchronisation now)
    {
        ClockSynchronisation? before = hasLooked ? state : null;
        (state, hasLooked) = (now, true);
        switch (now)
        {
            case ClockSynchronisation.Waiting:
                health.Unwell(Part, WaitingText + ".");
                break;
            case ClockSynchronisation.Synchronised:
                health.Well(Part);
                break;
            case ClockSynchronisation.Unsynchronised:
                health.Well(
                    Part,
                    $"not synchronised; readings carry the machine's time and {ClockFlag.Unsynchronised} in quality. {ClockCheck.Fix}."
                );
                break;
            default:
                health.Well(Part, "the kernel does not say whether it is synchronised; readings carry the machine's time.");
                break;
        }
        if (now == before)
            return;
        switch (now)
        {
            case ClockSynchronisation.Waiting:
                LogWaiting(WaitingText);
                break;
            case ClockSynchronisation.Synchronised when before is not null:
                LogSynchronised();
                break;
            case ClockSynchronisation.Unsynchronised:
                LogUnsynchronised(ClockFlag.Unsynchronised, ClockCheck.Fix);
                break;
            case ClockSynchronisation.Unknown:
                LogUnknown();
                break;
        }
    }

    /// <summary>The time of day less the time since the machine's start, and how far that may be off.</summary>
    (TimeSpan Offset, TimeSpan Doubt) Measure()
    {
        var (best, doubt) = (TimeSpan.Zero, TimeSpan.MaxValue);
        // On a busy machine another process may run between reading the two clocks.
        for (var i = 0; i < 10 && doubt > Exact; i++)
        {
            var before = kernel.SinceBoot();
            var now = clock.GetUtcNow() - DateTimeOffset.UnixEpoch;
            var after = kernel.SinceBoot();
            if (after - before < doubt)
                (best, doubt) = (now - (before + after) / 2, after - before);
        }
        return (best, doubt);
    }

    static long Microseconds(TimeSpan time) => time.Ticks / TimeSpan.TicksPerMicrosecond;

    [LoggerMessage(EventId = 41, Level = LogLevel.Information, Message = "{Text}")]
    partial void LogWaiting(string text);

    [LoggerMessage(EventId = 42, Level = LogLevel.Information, Message = "The machine's clock is synchronised; readings carry its time")]
    partial void LogSynchronised();

    [LoggerMessage(
        EventId = 43,
        Level = LogLevel.Warning,
        Message = "The machine's clock is not synchronised: readings carry its time as it is, and {Flag} in quality. {Fix}"
    )]
    partial void LogUnsynchronised(string flag, string fix);

    [LoggerMessage(
        EventId = 44,
        Level = LogLevel.Warning,
        Message = "The kernel does not say whether the machine's clock is synchronised (adjtimex): readings carry its time as it is. "
            + "Engines before 20.10 do not let containers ask; otherwise see timedatectl"
    )]
    partial void LogUnknown();

    [LoggerMessage(
        EventId = 45,
        Level = LogLevel.Warning,
        Message = "The machine's clock was stepped by {Seconds:+0.000;-0.000} s. The cadence and the order of readings do not change"
    )]
    partial void LogStep(double seconds);
}
