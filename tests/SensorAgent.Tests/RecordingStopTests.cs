using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>A replay whose outbox is full or broken, or which is stopped.</summary>
public sealed class RecordingStopTests : RecordingTestBase
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stop_ends_a_replay_at_full_speed_at_once(bool areReadings)
    {
        // Readings long enough that they are not through before the stop; the wrong file has none at all.
        const int lines = 200_000;
        if (areReadings)
            Record(lines);
        else
            await System.IO.File.WriteAllLinesAsync(File, Enumerable.Repeat("time;temperature", 10 * lines));
        var stand = Start(replay => replay with { Speed = 0 });
        await stand.Sampling.StartAsync(default);
        while (areReadings ? stand.Outboxes[ReadingKind.Thermal].Journal.NextOffset == 0 : Logger.Collector.Count < 10)
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);

        await stand.Sampling.StopAsync(default);

        Assert.False(HasEnded);
        Assert.True(stand.Sampling.ExecuteTask!.IsCompletedSuccessfully);
        if (!areReadings)
            return;
        var count = Temperatures(stand.Stored()).Count;
        Assert.InRange(count, 1, lines - 1);
        AssertOnce(stand.Stored(), count);
    }

    /// <summary>An outbox with so little space that a sensor's batches fit, and one of a fast replay does not.</summary>
    async Task<RecordingAgent> StartFullAsync(ILogger<Outbox> outboxLogger)
    {
        Record(600);
        var stand = Start(replay => replay with { Speed = 0 }, outboxBytes: 96 * 1024, outboxLogger: outboxLogger);
        var outbox = stand.Outboxes[ReadingKind.Thermal];
        while (outbox.Journal.SizeBytes < 75 * 1024)
        {
            var batch = new ReadingBatch { BootId = "sensor" };
            for (var i = 0; i < 10; i++)
                batch.Thermal.Add(new ThermalReading { Sensors = new string('s', 100) });
            await outbox.StoreAsync(batch, 10, CancellationToken.None);
        }
        return stand;
    }

    [Fact]
    public async Task A_batch_that_was_abandoned_at_a_stop_is_stored_once_and_dated_once()
    {
        var outboxLog = new FakeLogger<Outbox>();
        var stand = await StartFullAsync(outboxLog);
        var journal = stand.Outboxes[ReadingKind.Thermal].Journal;
        var before = journal.NextOffset;
        await stand.Sampling.StartAsync(default);
        while (journal.FullReason is null)
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);

        await stand.Sampling.StopAsync(default);

        Assert.Single(
            outboxLog.Collector.GetSnapshot(),
            record => record.Message.Contains("could not be stored", StringComparison.Ordinal)
        );
        // There is room again before the process ends: the journal stores the batch after all.
        journal.Commit(before);
        while (journal.FullReason is not null)
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);
        var late = stand.Stored().Where(batch => batch.BootId != "sensor").ToList();
        stand.Dispose();
        var again = Start(replay => replay with { Speed = 0 });
        await again.Sampling.StartAsync(default);
        await UntilEndAsync();
        await again.Sampling.StopAsync(default);

        AssertOnce(late, 500);
        Assert.Equal(Instants.ToMicroseconds(Clock.GetUtcNow()), late[0].Thermal[0].ObservedAtUs);
        AssertOnce([.. again.Stored().Where(batch => batch.BootId != "sensor")], 600);
    }

    [Fact]
    public async Task An_outbox_that_has_failed_is_not_reported_as_an_unreadable_recording()
    {
        var stand = await StartFullAsync(new FailingLogger());
        // Not by the outbox, which would then want to have room for another one of this size.
        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            stand.Outboxes[ReadingKind.Thermal].Journal.AppendAsync(new JournalRecord(new byte[40_000], 1)).AsTask()
        );
        await stand.Sampling.StartAsync(default);

        var problem = await Assert.ThrowsAsync<IOException>(() =>
            stand.Sampling.ExecuteTask!.WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System, CancellationToken.None)
        );

        Assert.Contains("stopped", problem.Message, StringComparison.Ordinal);
        Assert.Null(Health.Parts.Single(one => one.Key == "replay thermal").Value);
    }

    /// <summary>Breaks the journal's writer when the journal is full, as a defect of the program would.</summary>
    sealed class FailingLogger : ILogger<Outbox>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            if (exception is null && logLevel >= LogLevel.Warning)
                throw new InvalidOperationException("defect");
        }
    }
}
