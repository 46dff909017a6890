using ThermalStreaming.Control;

namespace ThermalStreaming.Console;

/// <summary>Combines the reports of the broker, the agents and the forwarders. Thread-safe.</summary>
sealed class Overview(ConsoleOptions options, ReplicaBook replicas, DeviceBook devices, BrokerFeed broker, TimeProvider clock)
{
    /// <summary>A device that only forwarders know (on its own topics) reports at its own pace.</summary>
    static readonly TimeSpan unknownPatience = TimeSpan.FromMinutes(10);

    const int MostDevices = 300;

    public State Look()
    {
        var now = clock.GetUtcNow();
        var found = replicas.All.Select(replica => (replica, replicas.PresenceOf(replica))).ToList();
        return new State(
            now,
            now - devices.Started,
            broker.IsConnected,
            broker.Since,
            broker.Problem,
            [.. options.Targets.Select(target => target.Service).Distinct()],
            found,
            [
                .. Devices(found, now)
                    .OrderByDescending(device => device.IsSilent)
                    .ThenBy(device => device.Id, StringComparer.Ordinal)
                    .Take(MostDevices),
            ]
        );
    }

    List<DeviceView> Devices(IEnumerable<(Replica Replica, ReplicaPresence Presence)> found, DateTimeOffset now)
    {
        var views = devices.Read(all =>
            all.Select(device => new DeviceView(
                    device.Id,
                    device.LastHeard,
                    now - device.LastHeard > device.Patience,
                    device.IsUnderVoltage,
                    device.Patience,
                    device.Version,
                    true,
                    device.Quality,
                    [.. device.Latest]
                ))
                .ToList()
        );
        var known = views.Select(view => view.Id).ToHashSet(StringComparer.Ordinal);
        var others = found
            .SelectMany(one => one.Replica.Forwarder?.Devices ?? Enumerable.Empty<DeviceStatus>())
            .Where(device => !known.Contains(device.DeviceId) && device.LastReceived is not null)
            .GroupBy(device => device.DeviceId, StringComparer.Ordinal)
            .Select(device => (Id: device.Key, Heard: device.Max(status => status.LastReceived.ToDateTimeOffset())));
        views.AddRange(
            others.Select(device => new DeviceView(
                device.Id,
                device.Heard,
                now - device.Heard > unknownPatience,
                false,
                unknownPatience,
                device.Heard.UtcTicks,
                false,
                "",
                []
            ))
        );
        return views;
    }
}
