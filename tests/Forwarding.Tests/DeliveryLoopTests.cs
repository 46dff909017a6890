using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Testing;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>How long delivery rests after a failure, and what it says meanwhile.</summary>
public sealed class DeliveryLoopTests : IDisposable
{
    readonly TempDirectory directory = new();
    readonly ManualClock clock = new();
    readonly Destination destination = new();
    readonly Health health = new();
    readonly Meter meter = new("test");
    readonly FakeLogger log = new();
    readonly DurableJournal journal;
    readonly PauseSwitch pause;
    readonly DeliveryLoop loop;

    public DeliveryLoopTests()
    {
        journal = DurableJournal.Open(
            new JournalOptions { Directory = directory.File("journal"), FreeSpaceReserveBytes = 0 },
            TimeProvider.System,
            NullLogger.Instance
        );
        var deadLetters = new DeadLetters(directory.File("dead-letters"), 1 << 20, clock, NullLogger.Instance);
        var slot = new SlotContext("slot-0", journal.Epoch, journal.NextOffset, directory.Path, (_, _) => [], deadLetters);
        pause = new PauseSwitch(directory.Path, clock, NullLogger<PauseSwitch>.Instance);
        loop = new DeliveryLoop(
            new DeliveryCursor(journal, slot.Name, new ForwarderMetrics(meter, clock), clock, log),
            destination.CreateSink(slot),
            slot,
            pause,
            health,
            clock,
            log
        );
    }

    public void Dispose()
    {
        loop.Dispose();
        pause.Dispose();
        journal.Dispose();
        meter.Dispose();
        directory.Dispose();
    }

    public static TheoryData<TimeSpan> TooLong =>
        [
            TimeSpan.FromSeconds(301),
            TimeSpan.FromSeconds(86_400),
            TimeSpan.FromSeconds(5_000_000),
            TimeSpan.FromSeconds(int.MaxValue),
            TimeSpan.MaxValue,
        ];

    [Theory]
    [MemberData(nameof(TooLong))]
    public async Task Waits_five_minutes_when_it_is_asked_to_wait_longer_and_says_so(TimeSpan asked)
    {
        destination.Failures.Enqueue(new SinkException(SinkFailure.Transient, "429 too many requests", asked));

        var (wait, _) = await RunAsync();

        Assert.Equal(TimeSpan.FromMinutes(5), wait);
        Assert.False(health.IsReady);
        var problem = Assert.Single(health.Parts).Value;
        Assert.Contains("429 too many requests", problem, StringComparison.Ordinal);
        Assert.Contains("300 s", problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Waits_as_long_as_it_is_asked_to_and_a_short_wait_is_no_news()
    {
        destination.Failures.Enqueue(new SinkException(SinkFailure.Transient, "429", TimeSpan.FromSeconds(7)));

        var (wait, _) = await RunAsync();

        Assert.Equal(TimeSpan.FromSeconds(7), wait);
        Assert.Empty(health.Parts);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public async Task Backs_off_however_soon_it_may_come_again(int seconds)
    {
        for (var i = 0; i < 8; i++)
            destination.Failures.Enqueue(new SinkException(SinkFailure.Transient, "429", TimeSpan.FromSeconds(seconds)));

        var (first, last) = await RunAsync(failures: 8);

        Assert.InRange(first, TimeSpan.FromSeconds(0.25), TimeSpan.FromSeconds(0.5));
        Assert.InRange(last, TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_reason_that_ends_in_a_statement_is_said_as_it_is()
    {
        destination.Failures.Enqueue(new SinkException(SinkFailure.NeedsOperator, "403. GRANT ROLE r TO USER u;"));

        await RunAsync();

        Assert.Contains(
            "GRANT ROLE r TO USER u; (failure 1 in a row; next attempt in ",
            Assert.Single(log.Collector.Messages()),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_pause_and_its_end_count_at_once_also_while_delivery_waits_after_failures()
    {
        const string part = "delivery slot-0";
        using var stop = new CancellationTokenSource();
        // So many that a reopening alone does not count as recovery any more.
        for (var i = 0; i < 6; i++)
            destination.Failures.Enqueue(new SinkException(SinkFailure.NeedsOperator, "403: the key was refused", TimeSpan.FromMinutes(5)));
        var running = loop.RunAsync(CancellationToken.None, stop.Token);
        for (var left = 5; left >= 0; left--)
        {
            await Eventually.TrueAsync(() => destination.Failures.Count == left && clock.NextDue is not null);
            if (left > 0)
                clock.Advance(clock.NextDue!.Value);
        }
        Assert.False(health.IsReady);

        pause.Pause("the key is exchanged");
        await Eventually.TrueAsync(() => health.IsReady);
        Assert.Contains("the key is exchanged", health.Note(part), StringComparison.Ordinal);

        pause.Resume();
        await Eventually.TrueAsync(() => destination.Opens == 1);
        Assert.Null(health.Note(part));
        await stop.CancelAsync();
        await running;
    }

    /// <summary>Runs the loop through so many failures, and says how long it waits after the first and after the last.</summary>
    async Task<(TimeSpan First, TimeSpan Last)> RunAsync(int failures = 1)
    {
        using var stop = new CancellationTokenSource();
        var running = loop.RunAsync(CancellationToken.None, stop.Token);
        List<TimeSpan> waits = [];
        for (var left = failures - 1; left >= 0; left--)
        {
            await Eventually.TrueAsync(() => running.IsCompleted || (destination.Failures.Count == left && clock.NextDue is not null));
            Assert.False(running.IsCompleted, $"the loop has ended: {running.Exception?.GetBaseException().Message}");
            waits.Add(clock.NextDue!.Value);
            if (left > 0)
                clock.Advance(waits[^1]);
        }
        await stop.CancelAsync();
        await running;
        return (waits[0], waits[^1]);
    }
}
