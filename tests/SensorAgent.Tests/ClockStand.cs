using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Testing;
using ThermalStreaming.Control;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>
/// A machine with a clock and an agent on it that stores batches and publishes them, without a broker. The right time is known.
/// </summary>
sealed class ClockStand : IDisposable
{
    static readonly DateTimeOffset start = new(2026, 11, 20, 10, 0, 0, TimeSpan.Zero);

    readonly Meter meter = new("test");
    readonly TempDirectory data = new();
    readonly Dictionary<string, ulong> sequences = [];
    int boots;
    long startedAtUs;
    string agentBoot = "";
    ReadingClock? readingClock;
    Outbox? outbox;

    public ClockStand(TimeSpan? patience = null)
    {
        Kernel = new FakeKernel(Clock);
        Options = new AgentOptions
        {
            DeviceId = "pi",
            DataDirectory = data.Path,
            ClockPatience = patience ?? TimeSpan.FromMinutes(10),
            Journal = new JournalOptions { FreeSpaceReserveBytes = 0 },
        };
    }

    public ManualClock Clock { get; } = new(start);

    public FakeKernel Kernel { get; private set; }

    public AgentOptions Options { get; }

    public Health Health { get; } = new();

    public FakeLogger<ReadingClock> Logger { get; } = new();

    public IReadOnlyList<string> Lines => [.. Logger.Collector.GetSnapshot().Select(entry => $"{entry.Level}: {entry.Message}")];

    /// <summary>What a right clock would say.</summary>
    public DateTimeOffset RightTime => start + Clock.GetElapsedTime(0);

    /// <summary>When each reading was really taken, by agent start and sequence.</summary>
    public Dictionary<(string Boot, ulong Sequence), DateTimeOffset> Taken { get; } = [];

    public ReadingClock ReadingClock => readingClock ?? throw new InvalidOperationException("The agent does not run.");

    public Outbox Outbox => outbox ?? throw new InvalidOperationException("The agent does not run.");

    /// <summary>Starts the agent; one that runs is killed first.</summary>
    public void StartAgent()
    {
        outbox?.Dispose();
        agentBoot = $"agent-{++boots}";
        readingClock = new ReadingClock(
            Options,
            Kernel,
            new AgentMetrics(meter, new StatusPage(), new RequestMetrics(meter)),
            Health,
            Clock,
            Logger
        );
        startedAtUs = readingClock.SinceBootUs;
        outbox = new Outbox(ReadingKind.Thermal, Options, readingClock, new Health(), TimeProvider.System, new FakeLogger<Outbox>());
    }

    /// <summary>What the agent says of the clock to those who ask, after <see cref="ClockWatch"/> has looked at it.</summary>
    public AgentStatus Status()
    {
        ReadingClock.Update();
        var status = new AgentStatus();
        new ClockReport(ReadingClock).AddTo(status);
        return status;
    }

    /// <summary>Restarts the machine, which takes a minute, with a clock that is wrong by so much.</summary>
    public void Reboot(TimeSpan wrongBy)
    {
        Clock.Advance(TimeSpan.FromMinutes(1));
        Kernel = new FakeKernel(Clock)
        {
            Synchronised = false,
            Boot = Guid.NewGuid().ToString(),
            UpBefore = TimeSpan.FromSeconds(15),
        };
        SetClock(wrongBy);
        StartAgent();
    }

    /// <summary>Sets the clock, as <c>date -s</c> does: the kernel forgets that it was synchronised.</summary>
    public void SetClock(TimeSpan wrongBy)
    {
        Clock.Step(RightTime + wrongBy - Clock.GetUtcNow());
        Kernel.Synchronised = false;
    }

    /// <summary>NTP sets the clock.</summary>
    public void Synchronise()
    {
        SetClock(TimeSpan.Zero);
        Kernel.Synchronised = true;
    }

    /// <summary>Takes a batch, a reading each half second, and stores it.</summary>
    public async Task TakeAsync(int count = 4)
    {
        var batch = new ReadingBatch
        {
            DeviceId = "pi",
            BootId = agentBoot,
            Host = new Host { Hostname = "pi", StartedAtUs = startedAtUs },
        };
        for (var i = 0; i < count; i++)
        {
            Clock.Advance(TimeSpan.FromMilliseconds(500));
            ReadingClock.Update();
            var sequence = sequences[agentBoot] = sequences.GetValueOrDefault(agentBoot) + 1;
            Taken[(agentBoot, sequence)] = RightTime;
            batch.Thermal.Add(new ThermalReading { Sequence = sequence, ObservedAtUs = ReadingClock.SinceBootUs });
        }
        await Outbox.StoreAsync(batch, count, CancellationToken.None);
    }

    /// <summary>Publishes everything from an offset on, until a batch has to wait for the clock.</summary>
    /// <returns>What the broker gets, and where it ended.</returns>
    public (List<byte[]> Messages, long End) Publish(long from = 0)
    {
        List<byte[]> messages = [];
        using var reader = Outbox.Journal.OpenReader(from);
        while (reader.TryRead(out var entry))
        {
            Assert.True(StoredPayload.TryParse(entry.Payload, out var batch));
            var bytes = ProvisionalTimes.AreIn(batch.Bytes.Span) ? ReadingClock.Finish(batch.Bytes.Span, out _) : batch.Bytes.ToArray();
            if (bytes is null)
                break;
            messages.Add(bytes);
            from = entry.EndOffset;
        }
        return (messages, from);
    }

    /// <summary>By how much a reading's time is wrong.</summary>
    public TimeSpan Error(ReadingBatch batch, ThermalReading reading) =>
        Instants.FromMicroseconds(reading.ObservedAtUs) - Taken[(batch.BootId, reading.Sequence)];

    public void Dispose()
    {
        outbox?.Dispose();
        meter.Dispose();
        data.Dispose();
    }
}
