using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>What tests of recorded files have in common: a recorded file, agents that replay it, and a clock that the test moves.</summary>
public abstract class RecordingTestBase : IDisposable
{
    private protected static readonly DateTimeOffset Recorded = new(2026, 5, 1, 8, 0, 0, TimeSpan.Zero);

    readonly List<RecordingAgent> agents = [];

    internal ManualClock Clock { get; } = new();

    internal Meter Meter { get; } = new("test");

    internal FakeLogger<RecordingSampling> Logger { get; } = new();

    internal Health Health { get; } = new();

    internal string File => Data.File("recorded.ndjson");

    private protected TempDirectory Data { get; } = new();

    public void Dispose()
    {
        foreach (var agent in agents)
            agent.Dispose();
        Meter.Dispose();
        Data.Dispose();
        GC.SuppressFinalize(this);
    }

    internal static string Row(int number, double second) =>
        $$"""{"temperature": {{20 + number}}, "humidity": null, "device_id": "other", "datetimestamp": "{{Recorded.AddSeconds(second):O}}"}""";

    private protected void Record(int count, double apart = 0.5) =>
        System.IO.File.WriteAllLines(File, Enumerable.Range(1, count).Select(i => Row(i, i * apart)));

    private protected RecordingAgent Start(
        Func<RecordingOptions, RecordingOptions>? with = null,
        string? directory = null,
        ReadingKind kind = ReadingKind.Thermal,
        long outboxBytes = 128 << 20,
        ILogger<Outbox>? outboxLogger = null
    )
    {
        var agent = new RecordingAgent(this, directory ?? Data.File("data"), with, kind, outboxBytes, outboxLogger);
        agents.Add(agent);
        return agent;
    }

    /// <summary>Lets time pass from timer to timer, whenever the replay waits for one.</summary>
    private protected async Task PassAsync(TimeSpan time)
    {
        for (var left = time; left > TimeSpan.Zero; )
        {
            var due = await DueAsync();
            var step = due < left ? due : left;
            Clock.Advance(step);
            left -= step;
        }
        await DueAsync();
    }

    private protected async Task<TimeSpan> DueAsync()
    {
        for (var patience = 0; Clock.NextDue is null && !HasEnded; patience++)
        {
            Assert.True(patience < 20_000, "The replay does not wait for its next reading.");
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);
        }
        return Clock.NextDue ?? TimeSpan.MaxValue;
    }

    private protected bool HasEnded => Logger.Collector.GetSnapshot().Any(record => record.Id.Id == 37);

    private protected async Task UntilEndAsync()
    {
        while (!HasEnded)
        {
            if (Clock.NextDue is { } due)
                Clock.Advance(due);
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);
        }
    }

    private protected static List<double> Temperatures(IEnumerable<ReadingBatch> batches) =>
        [.. batches.SelectMany(batch => batch.Thermal).Select(reading => reading.TemperatureC)];

    private protected static void AssertOnce(IReadOnlyCollection<ReadingBatch> batches, int count)
    {
        Assert.Equal(Enumerable.Range(1, count).Select(i => 20.0 + i), Temperatures(batches));
        Assert.Equal(Enumerable.Range(1, count).Select(i => (ulong)i), batches.SelectMany(Collector.Sequences));
        Assert.Single(batches.Select(batch => batch.BootId).Distinct());
    }

    private protected async Task PlayToEndAsync(Func<RecordingOptions, RecordingOptions>? with = null)
    {
        Logger.Collector.Clear();
        using var agent = Start(with);
        await agent.Sampling.StartAsync(default);
        await UntilEndAsync();
        await agent.Sampling.StopAsync(default);
    }
}
