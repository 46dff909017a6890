using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Hosting;
using ThermalStreaming.Sensors;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// Collects the sensors' values for <c>check</c> and the verb <c>sensors</c>: from the running agent if there is one, otherwise by reading
/// the sensors. Two programs on one bus would mix up the answers.
/// </summary>
sealed class SensorSurvey(SensorOptions options, I2cBuses buses, RunningService service, TimeProvider clock)
{
    static readonly TimeSpan Step = TimeSpan.FromMilliseconds(250);

    readonly Kernel kernel = new();

    /// <summary>The running agent's sensors; null if it does not run, or reads none.</summary>
    public async Task<IReadOnlyList<SensorRow>?> AskAgentAsync(CancellationToken cancellationToken) =>
        await service.StatusAsync(cancellationToken) is { } status
        && status.TryGetProperty("sensors", out var sensors)
        && sensors.GetArrayLength() > 0
            ? [.. sensors.EnumerateArray().Select(SensorRow.Parse)]
            : null;

    /// <summary>As above, repeated until every detected sensor has a value; if that takes too long, the last answer.</summary>
    public async Task<IReadOnlyList<SensorRow>?> AskAgentForValuesAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        var began = clock.GetTimestamp();
        while (true)
        {
            var rows = await AskAgentAsync(cancellationToken);
            if (rows is null || rows.All(HasValue) || clock.GetElapsedTime(began) >= atMost)
                return rows;
            await Task.Delay(Step, clock, cancellationToken);
        }

        static bool HasValue(SensorRow row) =>
            row.State is nameof(SensorState.Working) or nameof(SensorState.Missing) or nameof(SensorState.NoBus);
    }

    /// <summary>Reads the sensors here.</summary>
    /// <param name="atMost">Maximum time.</param>
    /// <param name="isEnough">Ends it earlier.</param>
    /// <param name="cancellationToken">Ends it at once.</param>
    /// <returns>The sensors, or a text that says why they cannot be read.</returns>
    public async Task<(IReadOnlyList<SensorRow> Rows, string? Problem)> ReadAsync(
        TimeSpan atMost,
        Func<IReadOnlyList<SensorStatus>, bool> isEnough,
        CancellationToken cancellationToken
    )
    {
        if (!HasBus(options, buses))
            return ([], $"there is no {Buses(options)}");
        try
        {
            using var guard = SensorLock.TryTake(options);
            if (guard is null)
                return ([], "another program reads the sensors, and does not answer");
            return await ReadAloneAsync(atMost, isEnough, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ([], $"{options.Directory} cannot be used: {e.Message}");
        }
    }

    async Task<(IReadOnlyList<SensorRow> Rows, string? Problem)> ReadAloneAsync(
        TimeSpan atMost,
        Func<IReadOnlyList<SensorStatus>, bool> isEnough,
        CancellationToken cancellationToken
    )
    {
        using var set = new SensorSet(options, buses.Open, Now, clock, NullLogger.Instance);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = set.RunAsync(stop.Token);
        var began = clock.GetTimestamp();
        while (
            !cancellationToken.IsCancellationRequested
            && !running.IsCompleted
            && clock.GetElapsedTime(began) < atMost
            && !isEnough(set.Sensors)
        )
            await Task.WhenAny(running, Task.Delay(Step, clock, CancellationToken.None));
        var found = set.Sensors;
        await stop.CancelAsync();
        try
        {
            await running;
        }
        catch (OperationCanceledException)
        {
            // The time is up, or enough is known.
        }
        return ([.. found.Select(SensorRow.Of)], set.BusProblems.Count > 0 ? string.Join("; ", set.BusProblems) : null);
    }

    /// <summary>Whether there is a bus for sensors.</summary>
    public static bool HasBus(SensorOptions options, I2cBuses buses) => options.Buses.Any(buses.Exists) || SensorSet.HasOneWire(options);

    /// <summary>What <see cref="HasBus"/> looks for, as part of a sentence.</summary>
    public static string Buses(SensorOptions options) =>
        options.Buses.Count == 0
            ? $"DS18B20 in {options.OneWireDirectory}"
            : string.Join(" or ", options.Buses.Select(number => $"/dev/i2c-{number}"));

    Moment Now() => new(kernel.IsClockSynchronised() == false ? null : clock.GetUtcNow(), kernel.BootId ?? "", kernel.SinceBoot());

    /// <summary>Whether every sensor has been looked for.</summary>
    public static bool IsKnown(IReadOnlyList<SensorStatus> sensors) =>
        sensors.All(sensor => sensor.State != SensorState.Starting || sensor.Description.Length > 0);

    /// <summary>Whether every detected sensor has a value.</summary>
    public static bool HasValues(IReadOnlyList<SensorStatus> sensors) =>
        sensors.All(sensor => sensor.State is SensorState.Working or SensorState.Missing or SensorState.NoBus);
}
