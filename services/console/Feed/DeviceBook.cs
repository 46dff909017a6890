namespace ThermalStreaming.Console;

/// <summary>The devices that were heard: at most 100. Beyond that, the one that has been silent longest is dropped. Thread-safe.</summary>
sealed class DeviceBook(TimeProvider clock)
{
    public const int MostDevices = 100;

    readonly Lock gate = new();
    readonly Dictionary<string, Device> devices = new(StringComparer.Ordinal);
    readonly RateWindow rate = new(clock, TimeSpan.FromSeconds(30));
    ulong readings;
    ulong unreadable;

    /// <summary>Since when the console watches readings.</summary>
    public DateTimeOffset Started { get; } = clock.GetUtcNow();

    /// <summary>Messages that could not be read; forwarders make dead letters of them.</summary>
    public ulong Unreadable => Interlocked.Read(ref unreadable);

    /// <param name="id">The topic's device.</param>
    /// <param name="message">Null: it could not be read.</param>
    public void Hear(string id, Message? message)
    {
        if (message is null)
        {
            Interlocked.Increment(ref unreadable);
            return;
        }
        lock (gate)
        {
            readings += (ulong)message.Readings;
            Find(id).Hear(message, clock.GetUtcNow());
        }
    }

    /// <summary>Readings per second that arrived from the broker, over the last half minute.</summary>
    public double MeasureRate()
    {
        lock (gate)
            return rate.Add(readings);
    }

    /// <summary>Reads all devices, sorted by name, while nothing changes.</summary>
    public T Read<T>(Func<IEnumerable<Device>, T> look)
    {
        lock (gate)
            return look(devices.Values.OrderBy(device => device.Id, StringComparer.Ordinal));
    }

    /// <summary>Reads one device, or null, while nothing changes.</summary>
    public T Read<T>(string id, Func<Device?, T> look)
    {
        lock (gate)
            return look(devices.GetValueOrDefault(id));
    }

    /// <summary>Changes one device, which is created if it is not known.</summary>
    public void Change(string id, Action<Device> change)
    {
        lock (gate)
            change(Find(id));
    }

    /// <summary>Forgets devices that have sent nothing for a day.</summary>
    public void Prune()
    {
        var now = clock.GetUtcNow();
        lock (gate)
        {
            foreach (var device in devices.Values.Where(device => now - device.LastHeard > TimeSpan.FromDays(1)).ToList())
                devices.Remove(device.Id);
        }
    }

    Device Find(string id)
    {
        if (devices.TryGetValue(id, out var device))
            return device;
        if (devices.Count >= MostDevices)
            devices.Remove(devices.Values.MinBy(other => other.LastHeard)!.Id);
        return devices[id] = new Device(id);
    }
}
