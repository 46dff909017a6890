using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>Takes a reading of every inverter of the fleet at a steady rate and stores each round as one batch.</summary>
sealed class InverterSampling(AgentOptions options, Device device, Outboxes outboxes, AgentMetrics metrics, TimeProvider clock) : BackgroundService
{
    readonly Outbox outbox = outboxes[ReadingKind.Inverter];
    ulong sequence;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Another stream of numbers than the environment's under the same seed.
        var fleet = new InverterFleet(options.Inverters, options.Seed is { } seed ? ~seed : Random.Shared.Next());
        var cadence = new Cadence(TimeSpan.Zero, options.InverterInterval, patience: options.InverterInterval, clock);
        try
        {
            while (true)
            {
                await outbox.WaitForRoomAsync(stoppingToken);
                await cadence.WaitAsync(stoppingToken);
                var batch = device.NewBatch();
                for (var i = 0; i < fleet.Count; i++)
                {
                    var reading = fleet.Read(i);
                    reading.Sequence = ++sequence;
                    reading.ObservedAtUs = Instants.ToMicroseconds(clock.GetUtcNow());
                    batch.Inverters.Add(reading);
                }
                metrics.Taken(ReadingKind.Inverter, fleet.Count);
                await outbox.StoreAsync(batch, fleet.Count, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // A round is taken and stored without a pause: there is none in hand.
        }
    }
}
