using ThermalStreaming.Control;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>Times of readings while the machine's clock is wrong, set, stepped or restarted.</summary>
public sealed class ReadingClockTests(ITestOutputHelper output)
{
    const string Flag = "clock:Unsynchronised";

    static readonly TimeSpan Year = TimeSpan.FromDays(365);

    /// <summary>The readings with what their batch says of all of them.</summary>
    static List<(ReadingBatch Batch, ThermalReading Reading)> Read(IEnumerable<byte[]> messages)
    {
        List<(ReadingBatch, ThermalReading)> readings = [];
        foreach (var batch in messages.Select(message => ReadingBatch.Parser.ParseFrom(message)))
        {
            foreach (var reading in batch.Thermal)
            {
                reading.Quality = string.Join(',', new[] { reading.Quality, batch.Quality }.Where(text => text.Length > 0));
                readings.Add((batch, reading));
            }
        }
        return readings;
    }

    [Fact]
    public async Task Readings_wait_until_the_clock_is_right_and_have_the_right_time_then()
    {
        using var stand = new ClockStand();
        stand.SetClock(-Year);
        stand.StartAgent();
        await stand.TakeAsync();
        await stand.TakeAsync();

        Assert.Empty(stand.Publish().Messages);
        Assert.Equal(ClockSynchronisation.Waiting, stand.ReadingClock.State);
        Assert.False(stand.Health.IsReady);

        stand.Clock.Advance(TimeSpan.FromMinutes(2));
        stand.Synchronise();
        await stand.TakeAsync();
        var (messages, _) = stand.Publish();

        var readings = Read(messages);
        Assert.Equal(12, readings.Count);
        Assert.All(readings, one => Assert.Equal((TimeSpan.Zero, ""), (stand.Error(one.Batch, one.Reading), one.Reading.Quality)));
        Assert.All(readings, one => Assert.Null(one.Batch.Clock));
        // The agent's start too: it is what the uptime of a row is counted from.
        Assert.Single(readings.Select(one => one.Batch.Host.StartedAtUs).Distinct());
        Assert.True(stand.Health.IsReady);
        Assert.Single(stand.Lines, line => line.Contains("stepped by +31536000.000 s", StringComparison.Ordinal));
        Assert.Single(stand.Lines, line => line.Contains("is synchronised; readings carry its time", StringComparison.Ordinal));
        Assert.Equal(1, stand.ReadingClock.Steps);
    }

    [Fact]
    public async Task After_patience_readings_go_with_the_machines_time_and_a_flag()
    {
        using var stand = new ClockStand();
        stand.SetClock(-Year);
        stand.StartAgent();
        await stand.TakeAsync();
        stand.Clock.Advance(TimeSpan.FromMinutes(10));

        var (messages, _) = stand.Publish();
        Assert.Equal(ClockSynchronisation.Unsynchronised, stand.ReadingClock.State);
        Assert.True(stand.Health.IsReady);
        Assert.Contains("timedatectl", stand.Health.Note("clock"), StringComparison.Ordinal);
        await stand.TakeAsync();
        stand.Synchronise();
        await stand.TakeAsync();

        var readings = Read(messages.Concat(stand.Publish(4).Messages));
        Assert.Equal(12, readings.Count);
        Assert.All(readings.Take(8), one => Assert.Equal((-Year, Flag), (stand.Error(one.Batch, one.Reading), one.Reading.Quality)));
        Assert.All(readings.Skip(8), one => Assert.Equal((TimeSpan.Zero, ""), (stand.Error(one.Batch, one.Reading), one.Reading.Quality)));
        // What went with a flag keeps it when it is published again, although the right time is known now.
        Assert.Equal(messages, stand.Publish().Messages.Take(messages.Count));
    }

    [Fact]
    public void The_status_says_that_the_clock_waits_for_how_long_and_when_it_does_no_more()
    {
        using var stand = new ClockStand();
        stand.SetClock(-Year);
        stand.StartAgent();
        var upBefore = stand.Kernel.SinceBoot();
        stand.Clock.Advance(TimeSpan.FromMinutes(2));

        var waiting = stand.Status();
        stand.Clock.Advance(TimeSpan.FromMinutes(8));
        var late = stand.Status();
        stand.Synchronise();
        var right = stand.Status();

        Assert.Equal((ClockState.Waiting, upBefore + TimeSpan.FromMinutes(2)), (waiting.Clock, waiting.ClockWaits.ToTimeSpan()));
        Assert.Equal((ClockState.Unsynchronised, null), (late.Clock, late.ClockWaits));
        Assert.Equal((ClockState.Synchronised, null), (right.Clock, right.ClockWaits));
        // A watcher is not told that a second of waiting has passed.
        waiting.Info = new ServiceInfo();
        Assert.Null(AgentReport.WithoutTime(waiting).ClockWaits);
    }

    [Fact]
    public async Task A_kill_between_taking_and_synchronisation_neither_loses_nor_doubles()
    {
        using var stand = new ClockStand();
        stand.SetClock(-Year);
        stand.StartAgent();
        await stand.TakeAsync();
        stand.Clock.Advance(TimeSpan.FromSeconds(30));
        stand.StartAgent();
        await stand.TakeAsync();
        // Synchronised while no agent runs.
        stand.Clock.Advance(TimeSpan.FromSeconds(30));
        stand.Synchronise();
        stand.StartAgent();

        var (messages, _) = stand.Publish();
        var readings = Read(messages);

        Assert.Equal(
            [
                ("agent-1", 1UL),
                ("agent-1", 2),
                ("agent-1", 3),
                ("agent-1", 4),
                ("agent-2", 1),
                ("agent-2", 2),
                ("agent-2", 3),
                ("agent-2", 4),
            ],
            readings.Select(one => (one.Batch.BootId, one.Reading.Sequence))
        );
        Assert.All(readings, one => Assert.Equal((TimeSpan.Zero, ""), (stand.Error(one.Batch, one.Reading), one.Reading.Quality)));

        // And again, byte for byte, by another agent in the same start of the machine, and after the next.
        stand.SetClock(TimeSpan.FromHours(3));
        stand.StartAgent();
        Assert.Equal(messages, stand.Publish().Messages);
        stand.Reboot(-Year);
        Assert.Equal(messages, stand.Publish().Messages);
    }

    [Fact]
    public async Task A_restart_of_the_machine_loses_the_reference_and_the_readings_say_so()
    {
        using var stand = new ClockStand();
        stand.SetClock(-Year);
        stand.StartAgent();
        await stand.TakeAsync();
        stand.Reboot(-Year / 2);
        await stand.TakeAsync();

        // Those of before the restart need not wait: nothing will ever tell more of them.
        var (messages, end) = stand.Publish();
        Assert.Equal(4, end);
        Assert.All(Read(messages), one => Assert.Equal((-Year, Flag), (stand.Error(one.Batch, one.Reading), one.Reading.Quality)));

        stand.Synchronise();
        var rest = Read(stand.Publish(end).Messages);
        Assert.Equal(4, rest.Count);
        Assert.All(rest, one => Assert.Equal((TimeSpan.Zero, ""), (stand.Error(one.Batch, one.Reading), one.Reading.Quality)));
        Assert.Equal(messages, stand.Publish().Messages.Take(messages.Count));
    }

    [Fact]
    public async Task Without_patience_nothing_waits()
    {
        using var stand = new ClockStand(patience: TimeSpan.Zero);
        stand.SetClock(TimeSpan.FromHours(1));
        stand.StartAgent();
        await stand.TakeAsync();

        var readings = Read(stand.Publish().Messages);

        Assert.Equal(4, readings.Count);
        Assert.All(readings, one => Assert.Equal(Flag, one.Reading.Quality));
    }

    [Fact]
    public async Task A_machine_that_has_been_up_for_long_without_NTP_makes_no_start_of_the_agent_wait()
    {
        using var stand = new ClockStand();
        stand.SetClock(TimeSpan.FromHours(1));
        stand.Kernel.UpBefore = TimeSpan.FromHours(5);
        stand.StartAgent();
        await stand.TakeAsync();

        Assert.Equal(4, Read(stand.Publish().Messages).Count(one => one.Reading.Quality == Flag));
    }

    [Fact]
    public async Task A_kernel_that_does_not_say_holds_nothing_back()
    {
        using var stand = new ClockStand();
        stand.Kernel.Synchronised = null;
        stand.StartAgent();
        await stand.TakeAsync();

        Assert.Equal(4, Read(stand.Publish().Messages).Count(one => one.Reading.Quality.Length == 0));
        Assert.Equal(ClockSynchronisation.Unknown, stand.ReadingClock.State);
        Assert.True(stand.Health.IsReady);
        Assert.Single(stand.Lines, line => line.Contains("does not say", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_outage_of_NTP_is_no_wrong_clock_and_survives_a_restart_of_the_agent()
    {
        using var stand = new ClockStand();
        stand.Synchronise();
        stand.StartAgent();
        await stand.TakeAsync();
        // After some nine hours the kernel counts the clock as not synchronised.
        stand.Clock.Advance(TimeSpan.FromHours(9));
        stand.Kernel.Synchronised = false;
        await stand.TakeAsync();
        stand.StartAgent();
        await stand.TakeAsync();

        var readings = Read(stand.Publish().Messages);

        Assert.Equal(12, readings.Count);
        Assert.All(readings, one => Assert.Equal((TimeSpan.Zero, ""), (stand.Error(one.Batch, one.Reading), one.Reading.Quality)));
        Assert.Equal(ClockSynchronisation.Synchronised, stand.ReadingClock.State);
    }

    [Theory]
    [InlineData(3600)]
    [InlineData(-3600)]
    [InlineData(-1)]
    public async Task A_clock_that_somebody_sets_makes_readings_wait_until_NTP_has_corrected_it(int seconds)
    {
        using var stand = new ClockStand();
        stand.Synchronise();
        stand.Kernel.UpBefore = TimeSpan.FromDays(3);
        stand.StartAgent();
        await stand.TakeAsync();
        stand.SetClock(TimeSpan.FromSeconds(seconds));
        await stand.TakeAsync();
        Assert.Equal(4, Read(stand.Publish().Messages).Count);
        stand.Clock.Advance(TimeSpan.FromSeconds(20));
        stand.Synchronise();
        await stand.TakeAsync();

        var readings = Read(stand.Publish().Messages);

        Assert.Equal(Enumerable.Range(1, 12).Select(number => (ulong)number), readings.Select(one => one.Reading.Sequence));
        Assert.All(readings, one => Assert.Equal((TimeSpan.Zero, ""), (stand.Error(one.Batch, one.Reading), one.Reading.Quality)));
        Assert.Equal(2, stand.ReadingClock.Steps);
        Assert.Equal(2, stand.Lines.Count(line => line.StartsWith("Warning: The machine's clock was stepped", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_synchronised_clock_that_is_set_back_a_little_does_not_turn_the_order_of_times_around()
    {
        using var stand = new ClockStand();
        stand.Synchronise();
        stand.StartAgent();
        await stand.TakeAsync();
        // timesyncd after a long outage: the clock was 3 s ahead, and is synchronised before and after.
        stand.Clock.Step(TimeSpan.FromSeconds(-3));
        for (var i = 0; i < 5; i++)
            await stand.TakeAsync();

        var readings = Read(stand.Publish().Messages).Select(one => one.Reading).ToList();

        Assert.Equal(readings.Select(reading => reading.ObservedAtUs).Order(), readings.Select(reading => reading.ObservedAtUs));
        Assert.Equal(readings.Count, readings.Select(reading => reading.ObservedAtUs).Distinct().Count());
        Assert.Equal("clock:Adjusting", readings[4].Quality);
        Assert.Equal("", readings[^1].Quality);
        Assert.Equal(stand.Clock.GetUtcNow(), Instants.FromMicroseconds(readings[^1].ObservedAtUs));
    }

    [Fact]
    public void A_machine_that_is_too_busy_to_read_two_clocks_together_has_not_stepped_one()
    {
        using var stand = new ClockStand();
        stand.Synchronise();
        stand.StartAgent();
        stand.ReadingClock.Update();
        stand.Kernel.Busy = TimeSpan.FromMilliseconds(400);
        stand.Kernel.Synchronised = false;

        Assert.Equal(ClockSynchronisation.Synchronised, stand.ReadingClock.Update());
        Assert.Equal(0, stand.ReadingClock.Steps);

        stand.Kernel.Busy = TimeSpan.Zero;
        stand.Clock.Step(TimeSpan.FromMilliseconds(-100));
        Assert.Equal(ClockSynchronisation.Waiting, stand.ReadingClock.Update());
        Assert.Equal(1, stand.ReadingClock.Steps);
    }

    [Fact]
    public void Asking_for_the_state_neither_looks_at_the_clock_nor_writes()
    {
        using var stand = new ClockStand();
        stand.SetClock(-Year);
        stand.StartAgent();
        Assert.Equal(ClockSynchronisation.Waiting, stand.ReadingClock.State);
        var lines = stand.Lines.Count;
        stand.Synchronise();

        Assert.Equal((ClockSynchronisation.Waiting, 0), (stand.ReadingClock.State, stand.ReadingClock.Steps));
        Assert.NotNull(stand.ReadingClock.WaitsFor);
        Assert.Equal(lines, stand.Lines.Count);
        Assert.Empty(Directory.GetFiles(stand.Options.DataDirectory, "clock*"));

        stand.ReadingClock.Update();

        Assert.Equal((ClockSynchronisation.Synchronised, 1), (stand.ReadingClock.State, stand.ReadingClock.Steps));
        Assert.Null(stand.ReadingClock.WaitsFor);
        Assert.NotEmpty(Directory.GetFiles(stand.Options.DataDirectory, "clock*"));
    }

    [Fact]
    public async Task A_clock_that_cannot_be_read_well_when_NTP_sets_it_gives_no_wrong_time()
    {
        using var stand = new ClockStand();
        stand.SetClock(-Year);
        stand.StartAgent();
        await stand.TakeAsync();
        stand.Synchronise();
        stand.Kernel.Busy = TimeSpan.FromMilliseconds(400);
        Assert.Empty(stand.Publish().Messages);

        stand.Kernel.Busy = TimeSpan.Zero;
        Assert.All(Read(stand.Publish().Messages), one => Assert.Equal(TimeSpan.Zero, stand.Error(one.Batch, one.Reading)));
    }

    [Fact]
    public async Task A_file_of_fixes_that_cannot_be_written_stops_nothing()
    {
        using var stand = new ClockStand();
        Directory.CreateDirectory(Path.Combine(stand.Options.DataDirectory, "clock"));
        stand.SetClock(-Year);
        stand.StartAgent();
        await stand.TakeAsync();
        stand.Synchronise();

        Assert.All(Read(stand.Publish().Messages), one => Assert.Equal(TimeSpan.Zero, stand.Error(one.Batch, one.Reading)));
        stand.ReadingClock.Update();
        Assert.Single(
            stand.Lines,
            line => line.Contains("cannot be used", StringComparison.Ordinal) && line.Contains("when they are", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_clock_that_becomes_right_while_the_outbox_is_full_loses_and_doubles_nothing()
    {
        using var stand = new ClockStand(patience: TimeSpan.FromDays(1));
        stand.Options.Journal = new() { FreeSpaceReserveBytes = 0, MaxBytes = 256 * 1024 };
        stand.SetClock(-Year);
        stand.StartAgent();
        // A sampler asks before each batch.
        while (stand.Outbox.WaitForRoomAsync(CancellationToken.None).IsCompleted)
            await stand.TakeAsync(20);
        Assert.Empty(stand.Publish().Messages);

        // A restart of the agent, with the outbox still full.
        stand.StartAgent();
        var room = stand.Outbox.WaitForRoomAsync(CancellationToken.None);
        Assert.False(room.IsCompleted);
        stand.Synchronise();
        var (messages, end) = stand.Publish();
        stand.Outbox.Journal.Commit(end);
        await room.WaitAsync(TimeSpan.FromSeconds(30));
        await stand.TakeAsync();

        var readings = Read(messages.Concat(stand.Publish(end).Messages));
        Assert.Equal(stand.Taken.Count, readings.Count);
        Assert.Equal(stand.Taken.Keys, readings.Select(one => (one.Batch.BootId, one.Reading.Sequence)));
        Assert.All(readings, one => Assert.Equal((TimeSpan.Zero, ""), (stand.Error(one.Batch, one.Reading), one.Reading.Quality)));
    }

    [Fact]
    public void A_batch_with_final_times_is_told_from_one_without()
    {
        var batch = new ReadingBatch { DeviceId = "pi", Thermal = { new ThermalReading { Sequence = 7 } } };
        Assert.False(ProvisionalTimes.AreIn(Google.Protobuf.MessageExtensions.ToByteArray(batch)));
        batch.Clock = new ClockReference { OffsetUs = 3 };
        Assert.True(ProvisionalTimes.AreIn(Google.Protobuf.MessageExtensions.ToByteArray(batch)));
        Assert.False(ProvisionalTimes.AreIn([0xFF, 0xFF]));
    }

    /// <summary>
    /// Whatever happens to the clock, the agent and the machine: each reading is published once, in order, with the right time or a flag,
    /// and
    /// again with the same bytes.
    /// </summary>
    [Fact]
    public async Task Whatever_happens_readings_come_once_in_order_and_with_the_right_time_or_a_flag()
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"THERMAL_TEST_SEED={seed}");
        for (var run = 0; run < 25; run++)
        {
            using var stand = new ClockStand();
            if (random.Next(2) == 0)
                stand.SetClock(Wrong(random));
            stand.StartAgent();
            List<byte[]> published = [];
            var end = 0L;
            for (var i = 0; i < 60; i++)
            {
                switch (random.Next(12))
                {
                    case 0:
                        stand.Synchronise();
                        break;
                    case 1:
                        stand.SetClock(Wrong(random));
                        break;
                    case 2:
                        stand.Kernel.Synchronised = false;
                        break;
                    case 3:
                        stand.StartAgent();
                        break;
                    case 4 when random.Next(4) == 0:
                        stand.Reboot(Wrong(random));
                        break;
                    case 5:
                        stand.Clock.Advance(TimeSpan.FromSeconds(random.Next(1, 900)));
                        break;
                    case 6 or 7:
                        var (messages, until) = stand.Publish(end);
                        published.AddRange(messages);
                        end = until;
                        break;
                    case 8:
                        // Connected again: the whole window is published again, and must be the same.
                        Assert.Equal(published, stand.Publish().Messages.Take(published.Count));
                        break;
                    default:
                        await stand.TakeAsync(random.Next(1, 6));
                        break;
                }
            }
            stand.Synchronise();
            published.AddRange(stand.Publish(end).Messages);

            var readings = Read(published);
            Assert.Equal(stand.Taken.Count, readings.Count);
            Assert.Equal(
                stand.Taken.Keys.OrderBy(key => int.Parse(key.Boot["agent-".Length..], null)).ThenBy(key => key.Sequence),
                readings.Select(one => (one.Batch.BootId, one.Reading.Sequence))
            );
            var right = readings.Where(one => one.Reading.Quality.Length == 0).ToList();
            Assert.All(
                right,
                one => Assert.InRange(stand.Error(one.Batch, one.Reading).Duration(), TimeSpan.Zero, TimeSpan.FromMilliseconds(100))
            );
            var times = right.Select(one => one.Reading.ObservedAtUs).ToList();
            Assert.Equal(times.Order(), times);
        }
    }

    static TimeSpan Wrong(Random random) =>
        random.Next(4) switch
        {
            0 => TimeSpan.FromMilliseconds(random.Next(200, 5_000)),
            1 => -TimeSpan.FromMilliseconds(random.Next(200, 5_000)),
            2 => TimeSpan.FromDays(random.Next(1, 1000)),
            _ => -TimeSpan.FromDays(random.Next(1, 1000)),
        };
}
