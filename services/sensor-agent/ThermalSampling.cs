using Google.Protobuf;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>Takes a thermal reading at a steady rate and stores them by batches.</summary>
sealed partial class ThermalSampling(
    AgentOptions options, Device device, SystemMetrics system, Outboxes outboxes, AgentMetrics metrics, TimeProvider clock, ILogger<ThermalSampling> logger) : BackgroundService
{
    readonly SimulatedEnvironment? simulation = options.Simulate ? new SimulatedEnvironment(options.Seed ?? Random.Shared.Next()) : null;
    readonly Outbox outbox = outboxes[ReadingKind.Thermal];
    ulong sequence;
    long previousAt = clock.GetTimestamp();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (simulation is null)
            LogNotRead("scd4x (temperature, humidity, CO2), icp10125 (pressure, temperature), sgp30 (eCO2, TVOC)");
        else
            metrics.Observe(simulation);
        var step = options.Interval / options.BatchSize;
        var cadence = new Cadence(step, step, patience: options.Interval, clock);
        var batch = device.NewBatch();
        try
        {
            while (true)
            {
                if (batch.Thermal.Count == 0)
                    await outbox.WaitForRoomAsync(stoppingToken);
                await cadence.WaitAsync(stoppingToken);
                batch.Thermal.Add(Take());
                if (batch.Thermal.Count < options.BatchSize)
                    continue;
                var full = batch;
                batch = device.NewBatch();
                await outbox.StoreAsync(full, full.Thermal.Count, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            if (batch.Thermal.Count > 0)
                await outbox.StoreAsync(batch, batch.Thermal.Count, stoppingToken);
        }
    }

    ThermalReading Take()
    {
        var started = clock.GetTimestamp();
        var now = clock.GetUtcNow();
        Span<byte> id = stackalloc byte[16];
        Guid.CreateVersion7(now).TryWriteBytes(id, bigEndian: true, out _);
        var reading = new ThermalReading { Sequence = ++sequence, ObservedAtUs = Instants.ToMicroseconds(now), Id = ByteString.CopyFrom(id) };
        simulation?.AddTo(reading, now, clock.GetElapsedTime(previousAt, started));
        previousAt = started;
        system.AddTo(reading);
        reading.DurationUs = (uint)Math.Clamp(clock.GetElapsedTime(started).TotalMicroseconds, 0, uint.MaxValue);
        metrics.Taken(ReadingKind.Thermal, 1);
        return reading;
    }

    [LoggerMessage(EventId = 20, Level = LogLevel.Warning, Message =
        "SIMULATE is not true, and this version has no drivers yet for {Sensors}: their values stay empty, system metrics are taken. Set SIMULATE=true for made-up values")]
    partial void LogNotRead(string sensors);
}
