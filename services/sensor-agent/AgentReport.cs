using Google.Protobuf.WellKnownTypes;
using ThermalStreaming.Control;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>What the agent says of itself by gRPC, from the figures that <c>/status</c> shows. Thread-safe.</summary>
sealed class AgentReport(
    ServiceFacts facts,
    AgentOptions options,
    SamplingPlan plan,
    AgentMetrics metrics,
    Outboxes outboxes,
    BrokerConnection broker,
    ReadingClock readingClock,
    LatestReading latest,
    SensorList sensors
)
{
    /// <summary>At this moment.</summary>
    public AgentStatus Now()
    {
        var age = outboxes.Max(outbox => outbox.Backlog > 0 ? outbox.OldestAge : (TimeSpan?)null);
        return new AgentStatus
        {
            Info = facts.Now(),
            DeviceId = options.DeviceId,
            Thermal = Rate(ReadingKind.Thermal),
            Inverters = Rate(ReadingKind.Inverter),
            ReadingsTaken = (ulong)metrics.TakenTotal,
            InverterReadingsTaken = (ulong)metrics.InverterTotal,
            ReadingsPublished = (ulong)metrics.PublishedTotal,
            BacklogReadings = (ulong)outboxes.Sum(outbox => outbox.Backlog),
            BacklogAge = age is { } oldest ? Duration.FromTimeSpan(oldest) : null,
            OutboxBytes = (ulong)outboxes.Sum(outbox => outbox.IsOpen ? outbox.Journal.SizeBytes : 0),
            Reconnects = (ulong)broker.Reconnects,
            Clock = readingClock.State switch
            {
                ClockState.Synchronised => Control.ClockState.Synchronised,
                ClockState.Unknown => Control.ClockState.Unknown,
                _ => Control.ClockState.Unsynchronised,
            },
            ClockSteps = (ulong)readingClock.Steps,
            Sensors = { sensors.List() },
            Latest = latest.Taken?.Dated(),
        };
    }

    /// <summary>How readings of a kind are taken now.</summary>
    public Sampling Rate(ReadingKind kind)
    {
        if (!options.IsSampled(kind))
            return new Sampling { Enabled = kind == ReadingKind.Thermal || options.TakesInverters };
        var rate = plan.Current(kind).Rate;
        return new Sampling
        {
            Enabled = true,
            Interval = Duration.FromTimeSpan(rate.Interval),
            BatchSize = (uint)rate.BatchSize,
            Overridden = rate.IsOverridden,
        };
    }

    /// <summary>A status without what changes as time passes, so that a watcher hears of the rest alone. Changes the argument.</summary>
    public static AgentStatus WithoutTime(AgentStatus status)
    {
        status.Info.Time = null;
        status.BacklogAge = null;
        return status;
    }
}
