using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>The publisher against a real broker, with a kernel that the test lets synchronise its clock.</summary>
public sealed class HeldReadingsTests : IDisposable
{
    /// <summary>This machine, but for what it says of its clock.</summary>
    sealed class ToldKernel : Kernel
    {
        public bool IsSynchronised { get; set; }

        public override bool? IsClockSynchronised() => IsSynchronised;
    }

    readonly TempDirectory data = new();
    readonly Meter meter = new("test");

    public void Dispose()
    {
        meter.Dispose();
        data.Dispose();
    }

    [Fact]
    public async Task Batches_behind_one_that_waits_wait_too_and_all_come_in_order_once_the_clock_is_right()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        await using var collector = await Collector.StartAsync(broker.Port);
        var kernel = new ToldKernel();
        var options = new AgentOptions
        {
            DeviceId = "pi",
            DataDirectory = data.Path,
            Inverters = 1,
            ClockPatience = TimeSpan.FromDays(36_500),
            Journal = new JournalOptions { FreeSpaceReserveBytes = 0 },
            Mqtt = new MqttOptions
            {
                Host = "127.0.0.1",
                Port = broker.Port,
                ClientId = "sensor-agent-pi",
            },
        };
        var metrics = new AgentMetrics(meter, new StatusPage(), new RequestMetrics(meter));
        var health = new Health();
        var time = TimeProvider.System;
        var readingClock = new ReadingClock(options, kernel, metrics, health, time, NullLogger<ReadingClock>.Instance);
        using var outboxes = new Outboxes(options, readingClock, health, time, NullLogger<Outbox>.Instance);
        await using var connection = new BrokerConnection(
            options,
            new ForwarderPresence(options, time),
            new HomeAssistantPresence(options),
            health,
            new StatusPage(),
            time,
            NullLogger<BrokerConnection>.Instance
        );
        using var publisher = new Publisher(options, outboxes, connection, health, metrics, time, NullLogger<Publisher>.Instance);
        var before = time.GetUtcNow();
        for (var sequence = 1UL; sequence <= 6; sequence += 2)
        {
            var thermal = Stamped(sequence, readingClock);
            thermal.Thermal.Add(Thermal(sequence, readingClock));
            thermal.Thermal.Add(Thermal(sequence + 1, readingClock));
            await outboxes[ReadingKind.Thermal].StoreAsync(thermal, 2, CancellationToken.None);
        }
        var inverters = Stamped(1, readingClock);
        inverters.Inverters.Add(new InverterReading { Sequence = 1, ObservedAtUs = readingClock.SinceBootUs });
        await outboxes[ReadingKind.Inverter].StoreAsync(inverters, 1, CancellationToken.None);

        await publisher.StartAsync(CancellationToken.None);
        await UntilAsync(() => outboxes.All(outbox => outbox.HeldBy is not null));
        Assert.All(outboxes, outbox => Assert.Contains("CLOCK_PATIENCE", outbox.HeldBy, StringComparison.Ordinal));
        Assert.Empty(collector.Batches);

        kernel.IsSynchronised = true;
        await collector.UntilAsync(c => c.Sequences(ReadingKind.Thermal).Count == 6 && c.Sequences(ReadingKind.Inverter).Count == 1);
        await UntilAsync(() => outboxes.All(outbox => outbox is { Backlog: 0, HeldBy: null }));

        Assert.Equal([1UL, 2, 3, 4, 5, 6], collector.Sequences(ReadingKind.Thermal));
        Assert.All(collector.Batches, one => Assert.Null(one.Batch.Clock));
        Assert.All(
            collector.Of(ReadingKind.Thermal).SelectMany(batch => batch.Thermal),
            reading => Assert.Equal((false, true), (reading.HasQuality, IsBetween(reading.ObservedAtUs, before, time.GetUtcNow())))
        );
        var inverter = Assert.Single(Assert.Single(collector.Of(ReadingKind.Inverter)).Inverters);
        Assert.Equal((false, true), (inverter.HasQuality, IsBetween(inverter.ObservedAtUs, before, time.GetUtcNow())));
        await publisher.StopAsync(CancellationToken.None);
    }

    static ReadingBatch Stamped(ulong sequence, ReadingClock readingClock) =>
        new()
        {
            DeviceId = "pi",
            BootId = "b1",
            Host = new Host { Hostname = $"pi-{sequence}", StartedAtUs = readingClock.SinceBootUs },
        };

    static ThermalReading Thermal(ulong sequence, ReadingClock readingClock) =>
        new() { Sequence = sequence, ObservedAtUs = readingClock.SinceBootUs };

    static bool IsBetween(long timeUs, DateTimeOffset from, DateTimeOffset to) =>
        Instants.FromMicroseconds(timeUs) >= from.AddMilliseconds(-5) && Instants.FromMicroseconds(timeUs) <= to.AddMilliseconds(5);

    static async Task UntilAsync(Func<bool> wanted)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!wanted())
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, timeout.Token);
    }
}
