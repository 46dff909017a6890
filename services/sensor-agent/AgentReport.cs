using ThermalStreaming.Control;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>The agent's status for gRPC, from the figures that <c>/status</c> shows. Thread-safe.</summary>
sealed class AgentReport(
    ServiceFacts facts,
    AgentOptions options,
    SamplingControl sampling,
    OutboxReport outboxes,
    ClockReport clock,
    SensorReport sensors,
    CellControl cells
)
{
    /// <summary>The current status.</summary>
    public AgentStatus Now()
    {
        var status = new AgentStatus
        {
            Info = facts.Now(),
            DeviceId = options.DeviceId,
            Thermal = sampling.Rate(ReadingKind.Thermal),
            Inverters = sampling.Rate(ReadingKind.Inverter),
            Cell = cells.Status(),
        };
        clock.AddTo(status);
        outboxes.AddTo(status);
        sensors.AddTo(status);
        return status;
    }

    /// <summary>
    /// Removes the fields that change as time passes, so that a watcher hears only of other changes. Changes the argument.
    /// </summary>
    public static AgentStatus WithoutTime(AgentStatus status)
    {
        status.Info.Time = null;
        status.BacklogAge = null;
        status.ClockWaits = null;
        return status;
    }
}
