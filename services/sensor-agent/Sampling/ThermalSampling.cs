using Google.Protobuf;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>Takes thermal readings at a steady rate and stores them in batches.</summary>
sealed class ThermalSampling(
    SamplingPlan plan,
    Device device,
    ThermalSources sources,
    Outboxes outboxes,
    AgentMetrics metrics,
    ReadingFeed feed,
    TimeProvider clock
) : BackgroundService
{
    readonly Outbox outbox = outboxes[ReadingKind.Thermal];
    ulong sequence;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var (rate, changed) = plan.Current(ReadingKind.Thermal);
            using var end = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, changed);
            await SampleAsync(rate, end.Token, stoppingToken);
        }
    }

    /// <summary>Samples at one rate. At its end, the readings in hand are stored as a shorter batch.</summary>
    async Task SampleAsync(SamplingRate rate, CancellationToken end, CancellationToken stoppingToken)
    {
        var step = rate.Interval / rate.BatchSize;
        var cadence = new Cadence(step, step, patience: rate.Interval, clock);
        var batch = device.NewBatch();
        try
        {
            while (true)
            {
                if (batch.Thermal.Count == 0)
                    await outbox.WaitForRoomAsync(end);
                await cadence.WaitAsync(end);
                batch.Thermal.Add(Take());
                if (batch.Thermal.Count < rate.BatchSize)
                    continue;
                var full = batch;
                batch = device.NewBatch();
                await outbox.StoreAsync(full, full.Thermal.Count, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
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
        var reading = new ThermalReading
        {
            Sequence = ++sequence,
            ObservedAtUs = outbox.Clock.SinceBootUs,
            Id = ByteString.CopyFrom(id),
        };
        sources.AddTo(reading, now);
        reading.DurationUs = (uint)Math.Clamp(clock.GetElapsedTime(started).TotalMicroseconds, 0, uint.MaxValue);
        metrics.Taken(ReadingKind.Thermal, 1);
        feed.Show(device, new TakenReading(reading, now));
        return reading;
    }
}
