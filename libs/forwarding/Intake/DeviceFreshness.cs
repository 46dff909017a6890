using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// When each device was last heard. A sender may name many devices: <see cref="Most"/> of them are listed, the others are counted together.
/// A device keeps its place until it has been silent for <see cref="Kept"/>, or for <see cref="Yields"/> if another device needs the place,
/// so that devices that come and go add few series to Prometheus. Thread-safe.
/// </summary>
sealed class DeviceFreshness(TimeProvider clock)
{
    /// <summary>Devices that are listed.</summary>
    internal const int Most = 200;

    /// <summary>A device that was silent for this long may lose its place.</summary>
    internal static readonly TimeSpan Yields = TimeSpan.FromDays(1);

    /// <summary>A device that was silent for this long is no longer shown.</summary>
    internal static readonly TimeSpan Kept = TimeSpan.FromDays(7);

    /// <summary>The search for a place looks at all devices, so a flood of unknown devices must not cause a search per message.</summary>
    static readonly TimeSpan searchInterval = TimeSpan.FromSeconds(1);

    readonly Lock gate = new();
    readonly Dictionary<string, (DateTimeOffset At, long Readings)> heard = new(StringComparer.Ordinal);
    DateTimeOffset others;
    DateTimeOffset searched;
    long otherReadings;

    /// <summary>Makes the instruments. Once.</summary>
    public void Publish(Meter meter)
    {
        meter.CreateObservableGauge(
            "thermal.forwarder.device.heard.timestamp",
            Heard,
            "s",
            $"When readings of a device arrived last, seconds since 1970; of at most {Most} devices"
        );
        meter.CreateObservableGauge(
            "thermal.forwarder.other_devices.heard.timestamp",
            Others,
            "s",
            $"When readings of a device beyond these {Most} arrived last, seconds since 1970"
        );
        meter.CreateObservableCounter(
            "thermal.forwarder.other_devices.readings",
            () => Interlocked.Read(ref otherReadings),
            "{reading}",
            $"Readings of devices beyond these {Most}"
        );
    }

    /// <summary>Readings of a device arrived.</summary>
    public void Hear(string device, int readings)
    {
        var now = clock.GetUtcNow();
        lock (gate)
        {
            ref var known = ref CollectionsMarshal.GetValueRefOrNullRef(heard, device);
            if (!Unsafe.IsNullRef(ref known))
            {
                known = (now, known.Readings + readings);
                return;
            }
            if (heard.Count < Most || FreePlace(now))
            {
                heard[device] = (now, readings);
                return;
            }
            others = now;
            otherReadings += readings;
        }
    }

    /// <summary>The listed devices, freshest first, with their readings since the start or since they got their place.</summary>
    public IReadOnlyList<(string DeviceId, DateTimeOffset At, long Readings)> List()
    {
        lock (gate)
        {
            return
            [
                .. heard
                    .Select(device => (device.Key, device.Value.At, device.Value.Readings))
                    .OrderByDescending(device => device.At)
                    .ThenBy(device => device.Key, StringComparer.Ordinal),
            ];
        }
    }

    bool FreePlace(DateTimeOffset now)
    {
        // A clock that is set back must not suspend the search until it has caught up.
        if ((now - searched).Duration() < searchInterval)
            return false;
        searched = now;
        var oldest = heard.MinBy(device => device.Value.At);
        return now - oldest.Value.At > Yields && heard.Remove(oldest.Key);
    }

    List<Measurement<double>> Heard()
    {
        var now = clock.GetUtcNow();
        lock (gate)
        {
            foreach (var device in heard.Where(device => now - device.Value.At > Kept).ToList())
                heard.Remove(device.Key);
            return
            [
                .. heard.Select(device => new Measurement<double>(
                    Seconds(device.Value.At),
                    new KeyValuePair<string, object?>("device", device.Key)
                )),
            ];
        }
    }

    List<Measurement<double>> Others()
    {
        lock (gate)
            return others == default ? [] : [new(Seconds(others))];
    }

    static double Seconds(DateTimeOffset time) => time.ToUnixTimeMilliseconds() / 1000.0;
}
