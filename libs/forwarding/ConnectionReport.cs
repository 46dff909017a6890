using ThermalStreaming.Hosting;
using ThermalStreaming.Mqtt;

namespace ThermalStreaming.Forwarding;

/// <summary>Reports the state of a slot's connection to the broker to the service's health. Thread-safe.</summary>
/// <param name="now">The state of the connection.</param>
/// <param name="health">Gets the report.</param>
/// <param name="slot">Name of the slot.</param>
/// <param name="broker">Host and port.</param>
sealed class ConnectionReport(Func<MqttConnectionState> now, Health health, string slot, string broker)
{
    readonly Lock reporting = new();

    /// <summary>Reports the present state. Reads it inside the lock: an older state, reported later by another thread, would
    /// stay.</summary>
    public void Update()
    {
        lock (reporting)
        {
            var state = now();
            if (state.IsReady && state.Rival is null)
                health.Well($"mqtt {slot}");
            else
                health.Unwell($"mqtt {slot}", state.Rival ?? state.LastError ?? $"connecting to {broker}");
        }
    }
}
