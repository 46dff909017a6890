using System.Globalization;
using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Sensors;

/// <summary>
/// Runs one sensor: finds it, makes it measure at a fixed cadence, restarts it when it fails, and logs each change of state once. Its
/// figures may be read from any thread.
/// </summary>
/// <param name="driver">Driver of the sensor.</param>
/// <param name="watch">Checks its measurements.</param>
/// <param name="offset">How much warmer than the air it is, °C.</param>
/// <param name="clock">Where time comes from.</param>
/// <param name="logger">Receives each change of state once.</param>
sealed partial class SensorRunner(SensorDriver driver, QualityWatch watch, double offset, TimeProvider clock, ILogger logger) : IDisposable
{
    /// <summary>One garbled or unanswered transfer is normal; the next tick repeats it.</summary>
    const int MostFailures = 3;

    /// <summary>A sensor that is read this often survives an outage of its bus this long: it resumes when the bus does.</summary>
    static readonly TimeSpan MostInterval = TimeSpan.FromSeconds(5),
        MostOutage = TimeSpan.FromMinutes(1);

    static readonly TimeSpan SearchInterval = TimeSpan.FromMinutes(1),
        FirstRetry = TimeSpan.FromSeconds(2),
        SlowestRetry = TimeSpan.FromSeconds(30);

    readonly RetryDelay retry = new(FirstRetry, SlowestRetry);

    /// <summary>Its holder has exclusive use of the driver.</summary>
    readonly SemaphoreSlim turn = new(1, 1);
    volatile Measurement? newest;
    volatile string? problem;
    string? failure;
    volatile SensorState state;
    volatile string description = "";
    long reads,
        errors,
        flagged,
        stuck,
        jumps;
    volatile bool wasFound,
        isInterrupted;
    bool wasMissed,
        failureTold;
    Quality lastQuality;

    public string Id => driver.Id;

    /// <summary>Whether it was found since the start.</summary>
    public bool WasFound => wasFound;

    public SensorStatus Status
    {
        get
        {
            var last = newest;
            TimeSpan? age = last is null ? null : clock.GetElapsedTime(last.Timestamp);
            var (shown, why) = Shown(age <= last?.MaxAge, age);
            return new(
                Id,
                shown,
                description,
                why,
                Interlocked.Read(ref reads),
                Interlocked.Read(ref errors),
                Interlocked.Read(ref flagged),
                last,
                age
            )
            {
                Stuck = Interlocked.Read(ref stuck),
                Jumps = Interlocked.Read(ref jumps),
                HasSelfTest = driver.HasSelfTest,
                Calibration = driver.Calibration,
            };
        }
    }

    /// <summary>A transfer that does not return changes no state: then only the age of the last value, and the bus, show it.</summary>
    (SensorState State, string? Problem) Shown(bool isCurrent, TimeSpan? age) =>
        state is var now && (isCurrent || now == SensorState.Missing) ? (now, problem)
        : driver.BusProblem is { } hangs ? (SensorState.NoBus, hangs)
        : now == SensorState.Working
            ? (SensorState.Failing, string.Create(CultureInfo.InvariantCulture, $"no value for {age?.TotalSeconds:0} s"))
        : (now, problem);

    /// <summary>The newest measurement that is not too old; null if there is none.</summary>
    public Measurement? Current => newest is { } last && clock.GetElapsedTime(last.Timestamp) <= last.MaxAge ? last : null;

    /// <summary>The newest measurement that is at most this old.</summary>
    public Measurement? Within(TimeSpan age) => newest is { } last && clock.GetElapsedTime(last.Timestamp) <= age ? last : null;

    /// <summary>
    /// Makes the sensor test itself between two measurements; a test that has begun is completed. A sensor without a self-test is judged by
    /// its newest value.
    /// </summary>
    /// <returns>The result, or what is wrong with it.</returns>
    public Task<Outcome<string>> SelfTestAsync(CancellationToken cancellationToken) =>
        driver.HasSelfTest && wasFound
            ? InterruptAsync(driver.SelfTestAsync, cancellationToken)
            : Task.FromResult<Outcome<string>>(
                Current is null ? new SensorError(Id, SensorErrorKind.NoData, Status.Problem ?? "it has no current value") : "it delivers"
            );

    /// <summary>Calibrates the sensor between two measurements; a calibration that has begun is completed.</summary>
    /// <returns>The change of its values.</returns>
    public Task<Outcome<double>> CalibrateAsync(double reference, CancellationToken cancellationToken) =>
        Current is null
            ? Task.FromResult<Outcome<double>>(
                new SensorError(
                    Id,
                    SensorErrorKind.NoData,
                    "it has no current value, so nothing was changed; see sensors list for the cause"
                )
            )
            : InterruptAsync(stop => driver.CalibrateAsync(reference, stop), cancellationToken);

    /// <summary>Does something with the driver after which it must be restarted.</summary>
    Task<T> InterruptAsync<T>(Func<CancellationToken, Task<T>> action, CancellationToken cancellationToken) =>
        InTurnAsync(
            _ =>
            {
                isInterrupted = true;
                return action(CancellationToken.None);
            },
            cancellationToken
        );

    async Task<T> InTurnAsync<T>(Func<CancellationToken, Task<T>> action, CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            return await action(cancellationToken);
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Call it after <see cref="RunAsync"/> has ended.</summary>
    public void Dispose() => turn.Dispose();

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await RunOnceAsync(cancellationToken) is { } error)
                await Task.Delay(Failed(error), clock, cancellationToken);
        }
    }

    /// <summary>Starts the sensor and makes it measure until it fails or is interrupted.</summary>
    async Task<SensorError?> RunOnceAsync(CancellationToken cancellationToken)
    {
        try
        {
            isInterrupted = false;
            if (await InTurnAsync(driver.StartAsync, cancellationToken) is { } error)
                return error;
            Found();
            return await MeasureAsync(cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // A bug in one driver must end neither the other sensors nor the agent.
            return new SensorError(Id, SensorErrorKind.Refused, $"unexpected {e.GetType().Name} ({e.Message}); please report it");
        }
    }

    /// <returns>Null if it was interrupted.</returns>
    async Task<SensorError?> MeasureAsync(CancellationToken cancellationToken)
    {
        var (start, ticks, failures) = (clock.GetTimestamp(), 0L, 0);
        long? busFailedAt = null;
        while (true)
        {
            var outcome = await InTurnAsync(
                stop => isInterrupted ? Task.FromResult(default(Outcome<Measurement?>)) : driver.MeasureAsync(stop),
                cancellationToken
            );
            if (isInterrupted)
                return null;
            if (outcome.Error is { Kind: SensorErrorKind.Bus } outage)
            {
                busFailedAt ??= clock.GetTimestamp();
                if (driver.Interval > MostInterval || clock.GetElapsedTime(busFailedAt.Value) > MostOutage)
                    return outage;
                // The sensor keeps measuring without its bus. A restart would cost an SCD4x 5 s each time, and an SGP30 its cadence.
                (problem, state) = (outage.Text, SensorState.NoBus);
            }
            else
            {
                busFailedAt = null;
                if (state == SensorState.NoBus)
                    Waits();
            }
            if (outcome.Error is { Kind: not SensorErrorKind.Bus } error)
            {
                // Asking again does not help a sensor that has lost its state.
                var isLasting = error.Kind == SensorErrorKind.NoData || ++failures >= MostFailures;
                if (isLasting && !driver.ContinuesAfter(error.Kind))
                    return error;
                Interlocked.Increment(ref errors);
                if (isLasting)
                    Tell(error);
            }
            else if (outcome.Value is { } measurement)
            {
                // "Not yet" is not a success: between two bad values an SCD4x says so four times.
                failures = 0;
                Keep(measurement);
            }
            // A fixed cadence: missed ticks are skipped, never caught up.
            var elapsed = clock.GetElapsedTime(start);
            ticks = Math.Max(ticks + 1, elapsed.Ticks / driver.Interval.Ticks);
            if (ticks * driver.Interval - elapsed is var wait && wait > TimeSpan.Zero)
                await Task.Delay(wait, clock, cancellationToken);
        }
    }

    void Found()
    {
        if (!wasFound || description != driver.Description)
            LogFound(Id, driver.Description);
        (wasFound, wasMissed) = (true, false);
        description = driver.Description;
        if (state != SensorState.Working)
            Waits();
    }

    /// <summary>Waits for a value. A reported failure lasts until a value arrives.</summary>
    void Waits() => (problem, state) = failureTold ? (failure, SensorState.Failing) : (null, SensorState.Starting);

    void Keep(Measurement measurement)
    {
        var judged = watch.Judge(TemperatureOffsets.Correct(measurement, offset));
        if (judged.Quality != Quality.None)
        {
            Interlocked.Increment(ref flagged);
            if (judged.Quality.HasFlag(Quality.Stuck))
                Interlocked.Increment(ref stuck);
            if (judged.Quality.HasFlag(Quality.Jump))
                Interlocked.Increment(ref jumps);
            if (judged.Quality != lastQuality)
                LogOdd(Id, judged.Quality);
        }
        lastQuality = judged.Quality;
        newest = judged;
        Interlocked.Increment(ref reads);
        retry.Reset();
        problem = null;
        state = SensorState.Working;
        if (!failureTold)
            return;
        failureTold = false;
        LogRecovered(Id);
    }

    /// <summary>Records a failure.</summary>
    /// <returns>How long to wait before the next start.</returns>
    TimeSpan Failed(SensorError error)
    {
        problem = error.Text;
        if (error.Kind == SensorErrorKind.Bus)
        {
            // The bus has reported itself, once for all its sensors.
            state = SensorState.NoBus;
            return FirstRetry;
        }
        if (!wasFound && error.Kind is SensorErrorKind.NotAcknowledged or SensorErrorKind.WrongDevice)
        {
            state = SensorState.Missing;
            if (wasMissed)
                return SearchInterval;
            wasMissed = true;
            LogMissing(Id, error.Text);
            // It may still be booting.
            return FirstRetry;
        }
        Interlocked.Increment(ref errors);
        Tell(error);
        return retry.Next();
    }

    void Tell(SensorError error)
    {
        problem = failure = error.Text;
        state = SensorState.Failing;
        if (failureTold)
            return;
        failureTold = true;
        LogFails(Id, error.Text);
    }

    [LoggerMessage(EventId = 720, Level = LogLevel.Information, Message = "{Sensor} found: {Description}")]
    partial void LogFound(string sensor, string description);

    [LoggerMessage(
        EventId = 721,
        Level = LogLevel.Information,
        Message = "{Sensor} was not found ({Reason}): its values stay empty. The agent looks for it every minute"
    )]
    partial void LogMissing(string sensor, string reason);

    [LoggerMessage(
        EventId = 722,
        Level = LogLevel.Warning,
        Message = "{Sensor} fails: {Reason}. Its values stay empty; retrying every 1 to 30 s"
    )]
    partial void LogFails(string sensor, string reason);

    [LoggerMessage(EventId = 723, Level = LogLevel.Information, Message = "{Sensor} delivers again")]
    partial void LogRecovered(string sensor);

    [LoggerMessage(
        EventId = 724,
        Level = LogLevel.Warning,
        Message = "{Sensor} delivers odd values ({Quality}). They are passed on. Stuck: it repeats itself, switch its supply off and on. "
            + "Jump: check supply and wires"
    )]
    partial void LogOdd(string sensor, Quality quality);
}
