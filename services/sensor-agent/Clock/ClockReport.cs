using Google.Protobuf.WellKnownTypes;
using ThermalStreaming.Control;

namespace ThermalStreaming.SensorAgent;

/// <summary>The agent's status for gRPC: the machine's clock. Thread-safe.</summary>
sealed class ClockReport(ReadingClock clock)
{
    /// <summary>Adds the current values.</summary>
    public void AddTo(AgentStatus status)
    {
        status.Clock = clock.State switch
        {
            ClockSynchronisation.Synchronised => ClockState.Synchronised,
            ClockSynchronisation.Waiting => ClockState.Waiting,
            ClockSynchronisation.Unsynchronised => ClockState.Unsynchronised,
            _ => ClockState.Unknown,
        };
        status.ClockWaits = clock.WaitsFor is { } time ? Duration.FromTimeSpan(time) : null;
        status.ClockSteps = (ulong)clock.Steps;
    }
}
