using ThermalStreaming.Control;

namespace ThermalStreaming.SensorAgent;

/// <summary>What the agent says by gRPC of its sensors and of what they delivered last. Thread-safe.</summary>
sealed class SensorReport(SensorList sensors, ReadingFeed feed)
{
    /// <summary>Adds what holds at this moment.</summary>
    public void AddTo(AgentStatus status)
    {
        status.Sensors.AddRange(sensors.List());
        status.Latest = feed.Latest?.Dated();
    }
}
