using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>Takes a reading of every inverter of the fleet at a steady rate and stores each round as one batch.</summary>
sealed class InverterSampling(
    AgentOptions options,
    SamplingPlan plan,
    Device device,
    Outboxes outboxes,
    AgentMetrics metrics,
    ReadingFeed feed,
    TimeProvider clock
) : BackgroundService
{
    readonly Outbox outbox = outboxes[ReadingKind.Inverter];
    ulong sequence;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var (rate, changed) = plan.Current(ReadingKind.Inverter);
            using var end = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, changed);
            await SampleAsync(rate.Interval, end.Token, stoppingToken);
        }
    }

    async Task SampleAsync(TimeSpan interval, CancellationToken end, CancellationToken stoppingToken)
    {
        var fleet = new InverterFleet(options.Inverters, options.Seed, interval, options.InverterDaylight);
        var cadence = new Cadence(TimeSpan.Zero, interval, patience: interval, clock);
        try
        {
            while (true)
            {
                await outbox.WaitForRoomAsync(end);
                await cadence.WaitAsync(end);
                var now = clock.GetUtcNow();
                if (fleet.IsAsleep(now))
                    continue;
                var batch = device.NewBatch();
                for (var i = 0; i < fleet.Count; i++)
                {
                    var reading = fleet.Read(i, now);
                    reading.Sequence = ++sequence;
                    reading.ObservedAtUs = outbox.Clock.SinceBootUs;
                    batch.Inverters.Add(reading);
                }
                metrics.Taken(ReadingKind.Inverter, fleet.Count);
                feed.Show(device, batch.Inverters, now);
                await outbox.StoreAsync(batch, fleet.Count, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // A round is taken and stored without a pause, so no reading waits to be stored.
        }
    }
}
