using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;
using Host = ThermalStreaming.Readings.Host;

namespace ThermalStreaming.SensorAgent;

/// <summary>The facts that all readings of this start of the agent share: device, boot and machine. Thread-safe.</summary>
sealed class Device(AgentOptions options, Kernel kernel, TimeProvider clock)
{
    /// <summary>An address may change with a DHCP lease, or appear after the agent has started.</summary>
    static readonly TimeSpan HostRefresh = TimeSpan.FromSeconds(30);

    readonly Lock gate = new();
    readonly HostIdentity identity = new(options.HostNet, options.HostSys);
    readonly TimeSpan startedAt = kernel.SinceBoot();
    Host? host;
    long hostReadAt;

    /// <summary>New for each start: 32 hexadecimal digits.</summary>
    public string BootId { get; } = Guid.CreateVersion7(clock.GetUtcNow()).ToString("N");

    /// <summary>
    /// A batch to be shown and not stored. Its host has the agent's start as a time of day, by the machine's clock as it is now.
    /// </summary>
    public ReadingBatch NewShownBatch()
    {
        var batch = NewBatch();
        batch.Host = batch.Host.Clone();
        batch.Host.StartedAtUs += Instants.ToMicroseconds(clock.GetUtcNow() - kernel.SinceBoot());
        return batch;
    }

    /// <summary>
    /// A batch without readings. Its host has the agent's start as the time since the machine's start, as readings are stamped.
    /// </summary>
    public ReadingBatch NewBatch()
    {
        lock (gate)
        {
            if (host is null || clock.GetElapsedTime(hostReadAt) >= HostRefresh)
            {
                host = identity.Read(Environment.MachineName, DateTimeOffset.UnixEpoch + startedAt);
                hostReadAt = clock.GetTimestamp();
            }
            // Not changed after this, so batches may share it.
            return new ReadingBatch
            {
                DeviceId = options.DeviceId,
                BootId = BootId,
                Host = host,
            };
        }
    }
}
