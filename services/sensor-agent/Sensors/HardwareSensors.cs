using System.Text.Json;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;
using ThermalStreaming.Sensors;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// Reads real sensors as long as the agent runs, and fills readings from memory, so a hung bus never delays a reading. Its values may be
/// read from any thread.
/// </summary>
sealed partial class HardwareSensors : BackgroundService
{
    /// <summary>How often to look for a missing bus, and to update the health.</summary>
    static readonly TimeSpan LookInterval = TimeSpan.FromMinutes(1),
        HealthInterval = TimeSpan.FromSeconds(5);

    /// <summary>The slowest sensor takes this long from its start to its first value: low power SCD4x 30 s.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(45);

    readonly AgentOptions options;
    readonly I2cBuses buses;
    readonly ReadingClock readingClock;
    readonly Health health;
    readonly TimeProvider clock;
    readonly ILogger<HardwareSensors> logger;
    readonly long startedAt;
    volatile SensorSet? set;
    volatile string? obstacle;

    public HardwareSensors(
        AgentOptions options,
        I2cBuses buses,
        AgentMetrics metrics,
        ReadingClock readingClock,
        Health health,
        TimeProvider clock,
        ILogger<HardwareSensors> logger
    )
    {
        this.options = options;
        this.buses = buses;
        this.readingClock = readingClock;
        this.health = health;
        this.clock = clock;
        this.logger = logger;
        startedAt = clock.GetTimestamp();
        metrics.Observe(this);
    }

    /// <summary>Every sensor to look for; empty until there is a bus.</summary>
    public IReadOnlyList<SensorStatus> Sensors => set?.Sensors ?? [];

    /// <inheritdoc cref="SensorSet.SelfTestAsync"/>
    public Task<Outcome<string>> SelfTestAsync(string id, CancellationToken cancellationToken) => set!.SelfTestAsync(id, cancellationToken);

    /// <inheritdoc cref="SensorSet.CalibrateAsync"/>
    public Task<Outcome<double>> CalibrateAsync(string id, double reference, CancellationToken cancellationToken) =>
        set!.CalibrateAsync(id, reference, cancellationToken);

    /// <summary>Fills in the sensors' current values; everything else stays absent.</summary>
    public void AddTo(ThermalReading reading)
    {
        if (set?.Current is not { } current)
            return;
        if (current.Temperature?.TemperatureC is { } celsius)
            reading.TemperatureC = celsius;
        if (current.Humidity?.HumidityPercent is { } percent)
            reading.HumidityPercent = percent;
        if (current.Co2?.Co2Ppm is { } co2)
            reading.Co2Ppm = co2;
        if (current.Pressure?.PressurePa is { } pascal)
            reading.PressurePa = pascal;
        if (current.Barometer?.TemperatureC is { } warmth)
            reading.IcpTemperatureF = warmth * 9 / 5 + 32;
        if (current.Gas?.EquivalentCo2Ppm is { } equivalent)
            reading.EquivalentCo2Ppm = equivalent;
        if (current.Gas?.TvocPpb is { } tvoc)
            reading.TvocPpb = tvoc;
        if (current.Resistance?.GasResistanceOhm is { } ohm)
            reading.GasResistanceOhm = ohm;
        AddOrigin(
            reading,
            [current.Temperature, current.Humidity, current.Co2, current.Pressure, current.Barometer, current.Gas, current.Resistance]
        );
    }

    /// <summary>Records which sensors delivered, and what is odd about their values.</summary>
    static void AddOrigin(ThermalReading reading, ReadOnlySpan<Measurement?> used)
    {
        List<string> sensors = [],
            odd = [];
        foreach (var measurement in used)
        {
            if (measurement is null || sensors.Contains(measurement.Kind))
                continue;
            sensors.Add(measurement.Kind);
            if (measurement.Quality != Quality.None)
                odd.Add($"{measurement.Kind}:{measurement.Quality.ToString().Replace(", ", "-", StringComparison.Ordinal)}");
        }
        if (sensors.Count > 0)
            reading.Sensors = string.Join(',', sensors);
        if (odd.Count > 0)
            reading.Quality = string.Join(',', odd);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await WaitForBusAsync(stoppingToken);
            using var guard = await LockAsync(stoppingToken);
            using var sensors = new SensorSet(options.Sensors, buses.Open, readingClock.Now, clock, logger);
            var places = Places();
            LogReads(places);
            set = sensors;
            obstacle = null;
            await Task.WhenAll(sensors.RunAsync(stoppingToken), WatchAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The sensors keep what they have learned; the next start stops or resumes their measurement.
        }
    }

    string Places() =>
        string.Join(
            ", ",
            options
                .Sensors.Buses.Select(number => $"/dev/i2c-{number}")
                .Concat(SensorSet.HasOneWire(options.Sensors) ? [options.Sensors.OneWireDirectory] : [])
        );

    /// <summary>A bus may appear later: a USB adapter, a module that is loaded.</summary>
    async Task WaitForBusAsync(CancellationToken cancellationToken)
    {
        var text = $"There is no {SensorSurvey.Buses(options.Sensors)}";
        while (!SensorSurvey.HasBus(options.Sensors, buses))
        {
            if (obstacle is null)
            {
                LogNoBus(text);
                obstacle = $"{text}; enable I²C, and pass the device to the container (docs/hardware.md), or set SOURCE=Auto.";
            }
            ReportHealth();
            await Task.Delay(LookInterval, clock, cancellationToken);
        }
    }

    /// <summary>Two programs using one sensor would mix up its answers: the verb <c>sensors</c> takes the same lock.</summary>
    async Task<FileLock?> LockAsync(CancellationToken cancellationToken)
    {
        var isTold = false;
        while (true)
        {
            try
            {
                if (SensorLock.TryTake(options.Sensors) is { } taken)
                    return taken;
                obstacle = "Another program reads the sensors; end it (sensor-agent sensors …).";
                if (!isTold)
                    LogLocked(options.Sensors.Directory);
                isTold = true;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The outbox reports a disk that refuses; the sensors do not need the disk.
                return null;
            }
            ReportHealth();
            await Task.Delay(HealthInterval, clock, cancellationToken);
        }
    }

    async Task WatchAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            ReportHealth();
            await Task.Delay(HealthInterval, clock, cancellationToken);
        }
    }

    /// <summary>Only SOURCE=hardware requires sensors; with auto it is normal that there are none.</summary>
    void ReportHealth()
    {
        if (options.Source != SourceKind.Hardware)
            return;
        if (Problem() is { } problem)
            health.Unwell("sensors", problem);
        else
            health.Well("sensors");
    }

    string? Problem()
    {
        if (obstacle is { } text)
            return text;
        if (set is { BusProblems: [var first, ..] })
            return first + ".";
        var sensors = Sensors;
        if (sensors.FirstOrDefault(sensor => sensor.State == SensorState.Failing) is { } failing)
            return $"{failing.Id}: {failing.Problem}.";
        var works = sensors.Any(sensor => sensor.State == SensorState.Working);
        return works || clock.GetElapsedTime(startedAt) < Patience
            ? null
            : "No sensor delivers; check their wires and supply: sensor-agent sensors list.";
    }

    /// <summary>Writes its part of <c>/status</c>.</summary>
    public void WriteStatus(Utf8JsonWriter json)
    {
        json.WriteStartArray("sensors"u8);
        foreach (var sensor in Sensors)
            SensorRow.Of(sensor).Write(json);
        json.WriteEndArray();
    }

    [LoggerMessage(
        EventId = 20,
        Level = LogLevel.Warning,
        Message = "{Missing}: environmental values stay empty, system metrics are taken. The agent looks again every minute. Set "
            + "SOURCE=simulate for made-up values"
    )]
    partial void LogNoBus(string missing);

    [LoggerMessage(
        EventId = 24,
        Level = LogLevel.Information,
        Message = "Environmental values come from the sensors on {Buses}; nothing is simulated"
    )]
    partial void LogReads(string buses);

    [LoggerMessage(
        EventId = 25,
        Level = LogLevel.Warning,
        Message = "Another program reads the sensors (it holds the lock in {Directory}): environmental values stay empty until it ends. End "
            + "sensor-agent sensors …, or the other agent"
    )]
    partial void LogLocked(string directory);
}
