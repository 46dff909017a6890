using ThermalStreaming.Readings;
using Host = ThermalStreaming.Readings.Host;

namespace ThermalStreaming.SensorAgent;

/// <summary>What is the same for all readings of this start of the agent: who took them, and on which machine. Thread-safe.</summary>
sealed class Device(AgentOptions options, TimeProvider clock)
{
    /// <summary>An address may change with a DHCP lease, or come after the agent has started.</summary>
    static readonly TimeSpan HostRefresh = TimeSpan.FromSeconds(30);

    readonly Lock gate = new();
    readonly HostIdentity identity = new(options.HostNet, options.HostSys);
    readonly DateTimeOffset startedAt = clock.GetUtcNow();
    Host? host;
    long hostReadAt;

    /// <summary>New for each start: 32 hexadecimal digits.</summary>
    public string BootId { get; } = Guid.CreateVersion7(clock.GetUtcNow()).ToString("N");

    /// <summary>A batch with everything but its readings.</summary>
    public ReadingBatch NewBatch()
    {
        lock (gate)
        {
            if (host is null || clock.GetElapsedTime(hostReadAt) >= HostRefresh)
            {
                host = identity.Read(Environment.MachineName, startedAt);
                hostReadAt = clock.GetTimestamp();
            }
            // Never changed after this, so batches may share it.
            return new ReadingBatch { DeviceId = options.DeviceId, BootId = BootId, Host = host };
        }
    }
}
