using System.Diagnostics.Metrics;
using Microsoft.Extensions.Time.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>When devices were heard, with as many names as Prometheus can bear.</summary>
public sealed class DeviceFreshnessTests : IDisposable
{
    static readonly DateTimeOffset start = new(2026, 11, 20, 10, 0, 0, TimeSpan.Zero);

    readonly FakeTimeProvider clock = new(start);
    readonly Meter meter = new("device-freshness-tests");
    readonly DeviceFreshness devices;

    public DeviceFreshnessTests()
    {
        devices = new DeviceFreshness(clock);
        devices.Publish(meter);
    }

    public void Dispose() => meter.Dispose();

    [Fact]
    public void Each_device_has_the_time_when_it_was_heard_last()
    {
        devices.Hear("pi-1", 10);
        clock.Advance(TimeSpan.FromSeconds(7));
        devices.Hear("pi-2", 10);
        clock.Advance(TimeSpan.FromSeconds(7));
        devices.Hear("pi-1", 10);

        Assert.Equal([("pi-1", After(14)), ("pi-2", After(7))], Heard());
        Assert.Empty(Read("thermal.forwarder.other_devices.heard.timestamp"));
    }

    [Fact]
    public void Devices_beyond_the_most_are_counted_together_and_displace_nobody()
    {
        for (var i = 0; i < 200; i++)
            devices.Hear($"known-{i:d3}", 1);
        clock.Advance(TimeSpan.FromHours(23));
        for (var i = 0; i < 10_000; i++)
            devices.Hear($"flood-{i}", 3);

        Assert.Equal(200, Heard().Count);
        Assert.All(Heard(), device => Assert.StartsWith("known-", device.Device, StringComparison.Ordinal));
        Assert.Equal([("", After(23 * 3600.0))], Read("thermal.forwarder.other_devices.heard.timestamp"));
        Assert.Equal([("", 30_000.0)], Read("thermal.forwarder.other_devices.readings"));
    }

    [Fact]
    public void A_device_that_was_silent_for_a_day_yields_to_another()
    {
        devices.Hear("silent", 1);
        for (var i = 1; i < 200; i++)
            devices.Hear($"known-{i}", 1);
        clock.Advance(TimeSpan.FromHours(25));
        for (var i = 1; i < 200; i++)
            devices.Hear($"known-{i}", 1);

        devices.Hear("new", 1);

        Assert.Equal(200, Heard().Count);
        Assert.Contains(("new", After(25 * 3600.0)), Heard());
        Assert.DoesNotContain(Heard(), device => device.Device == "silent");
    }

    [Fact]
    public void A_device_that_was_silent_for_a_week_is_not_shown_any_more()
    {
        devices.Hear("gone", 1);
        clock.Advance(TimeSpan.FromDays(7));
        Assert.Single(Heard());

        clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Empty(Heard());
    }

    static double After(double seconds) => start.ToUnixTimeSeconds() + seconds;

    List<(string Device, double Time)> Heard() => [.. Read("thermal.forwarder.device.heard.timestamp").Order()];

    List<(string Label, double Value)> Read(string name)
    {
        List<(string, double)> found = [];
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (ReferenceEquals(instrument.Meter, meter) && instrument.Name == name)
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((_, value, tags, _) => Add(value, tags));
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) => Add(value, tags));
        listener.Start();
        listener.RecordObservableInstruments();
        return found;

        void Add(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
            found.Add((tags.IsEmpty ? "" : (string)tags[0].Value!, value));
    }
}
