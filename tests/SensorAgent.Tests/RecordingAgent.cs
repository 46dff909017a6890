using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>An agent's outboxes, and its replay of a recorded file, over a data directory.</summary>
sealed class RecordingAgent : IDisposable
{
    public RecordingAgent(
        RecordingTestBase test,
        string directory,
        Func<RecordingOptions, RecordingOptions>? with,
        ReadingKind kind,
        long outboxBytes,
        ILogger<Outbox>? outboxLogger
    )
    {
        var options = new AgentOptions
        {
            DeviceId = "pi",
            DataDirectory = directory,
            Journal = new JournalOptions
            {
                FreeSpaceReserveBytes = 0,
                MaxBytes = outboxBytes,
                SegmentBytes = outboxBytes / 8,
            },
        };
        var metrics = new AgentMetrics(test.Meter, new StatusPage(), new RequestMetrics(test.Meter));
        var kernel = new FakeKernel(test.Clock);
        var readingClock = new ReadingClock(options, kernel, metrics, test.Health, test.Clock, NullLogger<ReadingClock>.Instance);
        Outboxes = new Outboxes(options, readingClock, test.Health, TimeProvider.System, outboxLogger ?? NullLogger<Outbox>.Instance);
        var replay = new RecordingOptions
        {
            Kind = kind,
            File = test.File,
            PositionPath = Path.Combine(directory, "replay", "position"),
        };
        Sampling = new RecordingSampling(
            with is null ? replay : with(replay),
            new Device(options, kernel, test.Clock),
            Outboxes[kind],
            metrics,
            test.Health,
            test.Clock,
            test.Logger
        );
    }

    public Outboxes Outboxes { get; }

    public RecordingSampling Sampling { get; }

    public List<ReadingBatch> Stored(ReadingKind kind = ReadingKind.Thermal)
    {
        using var reader = Outboxes[kind].Journal.OpenReader(0);
        List<ReadingBatch> batches = [];
        while (reader.TryRead(out var entry))
        {
            Assert.True(StoredPayload.TryParse(entry.Payload, out var batch));
            batches.Add(ReadingBatch.Parser.ParseFrom(batch.Bytes.Span));
        }
        return batches;
    }

    public void Dispose()
    {
        Sampling.Dispose();
        Outboxes.Dispose();
    }
}
