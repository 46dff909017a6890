using ThermalStreaming.Control;

namespace ThermalStreaming.SensorAgent;

/// <summary>The agent's status for gRPC: its sensors and their latest values. Thread-safe.</summary>
sealed class SensorReport(SensorList sensors, ReadingFeed feed)
{
    /// <summary>Adds the current values.</summary>
    public void AddTo(AgentStatus status)
    {
        status.Sensors.AddRange(sensors.List());
        status.Latest = feed.Latest?.Dated();
    }
}
