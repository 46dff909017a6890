using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>The samplers on a clock that the test moves.</summary>
public sealed class SamplingTests : IDisposable
{
    readonly ManualClock clock = new();
    readonly TempDirectory data = new();
    readonly Meter meter = new("test");
    readonly Outboxes outboxes;
    readonly Device device;
    readonly AgentMetrics metrics;
    readonly FakeKernel kernel;
    readonly SystemMetrics system;
    readonly AgentOptions options;

    public SamplingTests()
    {
        options = new AgentOptions
        {
            DeviceId = "pi",
            DataDirectory = data.Path,
            Source = SourceKind.Simulate,
            Seed = 3,
            Inverters = 2,
            Journal = new JournalOptions { FreeSpaceReserveBytes = 0 },
        };
        // The outbox has real time: it waits for a real disk.
        metrics = new AgentMetrics(meter, new StatusPage(), new RequestMetrics(meter));
        kernel = new FakeKernel(clock);
        var readingClock = new ReadingClock(options, kernel, metrics, new Health(), clock, NullLogger<ReadingClock>.Instance);
        outboxes = new Outboxes(options, readingClock, new Health(), TimeProvider.System, NullLogger<Outbox>.Instance);
        device = new Device(options, kernel, clock);
        system = new SystemMetrics("/proc", "/sys", data.Path, kernel, clock);
    }

    public void Dispose()
    {
        outboxes.Dispose();
        system.Dispose();
        meter.Dispose();
        data.Dispose();
    }

    ThermalSampling Thermal() => new(Plan(), device, Sources(), outboxes, metrics, new ReadingFeed(), clock);

    InverterSampling Inverters() => new(options, Plan(), device, outboxes, metrics, new ReadingFeed(), clock);

    SamplingPlan Plan() => new(options, NullLogger<SamplingPlan>.Instance);

    ThermalSources Sources() => new(system, new SimulatedEnvironment(3, TimeSpan.FromMinutes(10)), null);

    /// <summary>Lets time pass from timer to timer, and gives the sampler the real time it needs in between.</summary>
    async Task PassAsync(TimeSpan time)
    {
        for (var left = time; left > TimeSpan.Zero; )
        {
            TimeSpan? due;
            for (var patience = 0; (due = clock.NextDue) is null; patience++)
            {
                Assert.True(patience < 10_000, "The sampler does not wait for its next tick.");
                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);
            }
            var step = due.Value < left ? due.Value : left;
            clock.Advance(step);
            left -= step;
        }
    }

    List<ReadingBatch> Stored(ReadingKind kind)
    {
        using var reader = outboxes[kind].Journal.OpenReader(0);
        List<ReadingBatch> batches = [];
        while (reader.TryRead(out var entry))
        {
            Assert.True(StoredPayload.TryParse(entry.Payload, out var batch));
            batches.Add(ReadingBatch.Parser.ParseFrom(batch.Bytes.Span));
        }
        return batches;
    }

    [Fact]
    public async Task Takes_a_batch_per_interval_whatever_the_wall_clock_does()
    {
        using var sampling = Thermal();
        await sampling.StartAsync(default);

        await PassAsync(TimeSpan.FromSeconds(20));
        clock.Step(TimeSpan.FromHours(1));
        await PassAsync(TimeSpan.FromSeconds(20));
        clock.Step(TimeSpan.FromHours(-2));
        await PassAsync(TimeSpan.FromSeconds(22));
        await sampling.StopAsync(default);

        var batches = Stored(ReadingKind.Thermal);
        Assert.Equal([.. Enumerable.Repeat(10, 12), 4], batches.Select(batch => batch.Thermal.Count));
        Assert.Equal(Enumerable.Range(1, 124).Select(number => (ulong)number), batches.SelectMany(Collector.Sequences));
        // Readings carry the time as it was told when they were taken.
        var times = batches.SelectMany(batch => batch.Thermal).Select(reading => reading.ObservedAtUs).ToList();
        Assert.Equal(3_600_500_000, times[40] - times[39]);
        Assert.Equal(500_000, times[1] - times[0]);
    }

    [Fact]
    public async Task A_batch_is_cut_by_a_change_of_its_own_kind_alone()
    {
        using var plan = Plan();
        using var sampling = new ThermalSampling(plan, device, Sources(), outboxes, metrics, new ReadingFeed(), clock);
        await sampling.StartAsync(default);
        await PassAsync(TimeSpan.FromSeconds(2.2));

        plan.Set(ReadingKind.Inverter, TimeSpan.FromSeconds(1), null);
        await PassAsync(TimeSpan.FromSeconds(1));
        // What is set is what holds already.
        plan.Set(ReadingKind.Thermal, options.Interval, null);
        await PassAsync(TimeSpan.FromSeconds(2));
        plan.Set(ReadingKind.Thermal, null, 5);
        await PassAsync(TimeSpan.FromSeconds(5));
        await sampling.StopAsync(default);

        Assert.Equal([10, 5], Stored(ReadingKind.Thermal).Select(batch => batch.Thermal.Count));
    }

    [Fact]
    public async Task Readings_that_are_watched_say_when_the_agent_started_by_the_time_of_day()
    {
        var (feed, shown) = (new ReadingFeed(), new TaskCompletionSource<ReadingBatch>());
        using var end = new CancellationTokenSource();
        var watching = feed.WatchAsync(
            null,
            taken =>
            {
                shown.TrySetResult(taken.Batch);
                return Task.CompletedTask;
            },
            end.Token
        );

        feed.Show(new Device(options, kernel, clock), new TakenReading(new ThermalReading(), clock.GetUtcNow()));

        Assert.Equal(Instants.ToMicroseconds(clock.GetUtcNow()), (await shown.Task).Host.StartedAtUs);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watching);
    }

    [Fact]
    public async Task The_same_seed_and_clock_give_the_same_readings()
    {
        using (var sampling = Thermal())
        {
            await sampling.StartAsync(default);
            await PassAsync(TimeSpan.FromSeconds(30));
            await sampling.StopAsync(default);
        }
        var expected = new SimulatedEnvironment(3, TimeSpan.FromMinutes(10));
        foreach (var reading in Stored(ReadingKind.Thermal).SelectMany(batch => batch.Thermal))
        {
            var same = new ThermalReading();
            expected.AddTo(same, Instants.FromMicroseconds(reading.ObservedAtUs));
            Assert.Equal((same.TemperatureC, same.PressurePa, same.TvocPpb), (reading.TemperatureC, reading.PressurePa, reading.TvocPpb));
        }
    }

    [Fact]
    public async Task Takes_a_round_of_the_fleet_at_the_start_and_then_per_interval()
    {
        using var sampling = Inverters();
        await sampling.StartAsync(default);
        await PassAsync(TimeSpan.FromSeconds(61));
        await sampling.StopAsync(default);

        var batches = Stored(ReadingKind.Inverter);
        Assert.Equal(4, batches.Count);
        Assert.Equal(Enumerable.Range(1, 8).Select(number => (ulong)number), batches.SelectMany(Collector.Sequences));
        Assert.Equal(20_000_000, batches[1].Inverters[0].ObservedAtUs - batches[0].Inverters[0].ObservedAtUs);
    }

    [Fact]
    public async Task Writes_at_most_one_fsync_per_batch_and_little_more_than_the_readings()
    {
        using var sampling = Thermal();
        var journal = outboxes[ReadingKind.Thermal].Journal;
        var (flushes, written) = (journal.Flushes, journal.BytesWritten);
        await sampling.StartAsync(default);
        await PassAsync(TimeSpan.FromSeconds(100));
        await sampling.StopAsync(default);

        var batches = Stored(ReadingKind.Thermal);
        Assert.Equal(20, batches.Count);
        Assert.InRange(journal.Flushes - flushes, 1, batches.Count + 1);
        Assert.InRange(journal.BytesWritten - written, 1, 1.1 * batches.Sum(batch => batch.CalculateSize()));
    }
}
