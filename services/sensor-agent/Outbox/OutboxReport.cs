using Google.Protobuf.WellKnownTypes;
using ThermalStreaming.Control;

namespace ThermalStreaming.SensorAgent;

/// <summary>The agent's status for gRPC: the readings that it took, holds and published. Thread-safe.</summary>
sealed class OutboxReport(AgentMetrics metrics, Outboxes outboxes, BrokerConnection broker)
{
    /// <summary>Adds the current values.</summary>
    public void AddTo(AgentStatus status)
    {
        var age = outboxes.Max(outbox => outbox.Backlog > 0 ? outbox.OldestAge : (TimeSpan?)null);
        status.ReadingsTaken = (ulong)metrics.TakenTotal;
        status.InverterReadingsTaken = (ulong)metrics.InverterTotal;
        status.ReadingsPublished = (ulong)metrics.PublishedTotal;
        status.BacklogReadings = (ulong)outboxes.Sum(outbox => outbox.Backlog);
        status.BacklogAge = age is { } oldest ? Duration.FromTimeSpan(oldest) : null;
        status.OutboxBytes = (ulong)outboxes.Sum(outbox => outbox.IsOpen ? outbox.Journal.SizeBytes : 0);
        status.Reconnects = (ulong)broker.Reconnects;
    }
}
