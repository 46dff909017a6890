using ThermalStreaming.Hosting;
using ThermalStreaming.Mqtt;

namespace ThermalStreaming.Forwarding;

/// <summary>Tells the service's health how a slot's connection to the broker is. Thread-safe.</summary>
/// <param name="now">The state of the connection.</param>
/// <param name="health">Is told.</param>
/// <param name="slot">Name of the slot.</param>
/// <param name="broker">Host and port.</param>
sealed class ConnectionReport(Func<MqttConnectionState> now, Health health, string slot, string broker)
{
    readonly Lock reporting = new();

    /// <summary>Reports the state of now. Read inside the lock: an older one, reported later by another thread, would stay.</summary>
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
