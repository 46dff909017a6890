using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>Replicas that share a directory, and slots that lost theirs.</summary>
public sealed class SlotTakeoverTests(ITestOutputHelper output) : ForwarderTest(output)
{
    [Fact]
    public async Task Two_replicas_that_share_a_directory_store_a_repeated_reading_once()
    {
        await using var one = await StartAsync();
        await using var other = await StartAsync();

        // Every message goes to one replica or the other, and its repeats to either.
        for (var repeat = 0; repeat < 4; repeat++)
            await PublishManyAsync("pi-1", 100, 7);
        await DeliveredAsync(700);
        await Eventually.TrueAsync(() => one.Metrics.ReceivedTotal + other.Metrics.ReceivedTotal == 2800);

        AssertOnce(("pi-1", 1, 700));
        Assert.True(one.Metrics.StoredTotal > 0 && other.Metrics.StoredTotal > 0, "the broker gave all to one replica");
    }

    [Fact]
    public async Task Scaling_down_strands_nothing()
    {
        await using var stays = await StartAsync();
        await using (var goes = await StartAsync())
            await PublishManyAsync("pi-1", 50, 4);
        // The broker still gives every second message to the session that is gone.
        await PublishManyAsync("pi-2", 50, 4);

        await DeliveredAsync(400);
        await Eventually.TrueAsync(() => Directory.GetDirectories(Path.Combine(directory.Path, "slots")).Length == 1);
        await PublishManyAsync("pi-3", 50, 4);
        await DeliveredAsync(600);

        AssertOnce(("pi-1", 1, 200), ("pi-2", 1, 200), ("pi-3", 1, 200));
    }

    /// <summary>Prometheus takes a counter that goes back for one of a new process, and counts what it says from 0.</summary>
    [Fact]
    public async Task Counters_do_not_go_back_when_an_adopted_slot_is_closed()
    {
        await using var stays = await StartAsync();
        await using (await StartAsync())
            await PublishManyAsync("pi-1", 50, 4);
        await PublishManyAsync("pi-2", 50, 4);
        string[] counters = ["thermal.forwarder.fsyncs", "thermal.forwarder.disk.written", "thermal.forwarder.messages.dropped"];
        var before = new long[counters.Length];

        await Eventually.TrueAsync(() =>
        {
            var now = counters.Select(stays.Figure).ToArray();
            Assert.All(now.Zip(before), pair => Assert.True(pair.First >= pair.Second, $"{pair.Second} became {pair.First}"));
            before = now;
            return Directory.GetDirectories(directory.File("slots")).Length == 1;
        });

        await DeliveredAsync(400);
        Assert.All(counters.Select(stays.Figure).Zip(before), pair => Assert.True(pair.First >= pair.Second));
        Assert.True(stays.Figure("thermal.forwarder.disk.written") > 0);
    }

    /// <summary>Under another identity nobody would fetch what the broker holds for the sessions of this one.</summary>
    [Theory]
    [InlineData("install-id")]
    [InlineData("install-id.copy")]
    public async Task A_damaged_identity_is_known_from_its_copy(string file)
    {
        await using (await StartAsync()) { }
        // The session's, while nobody is there.
        await PublishManyAsync("pi-1", 10, 4);
        var bytes = await File.ReadAllBytesAsync(directory.File(file));
        bytes[2] = bytes[2] == '0' ? (byte)'1' : (byte)'0';
        await File.WriteAllBytesAsync(directory.File(file), bytes);

        await using (await StartAsync())
            await DeliveredAsync(40);

        AssertOnce(("pi-1", 1, 40));
        Assert.Equal(
            await File.ReadAllBytesAsync(directory.File("install-id")),
            await File.ReadAllBytesAsync(directory.File("install-id.copy"))
        );
    }

    /// <summary>
    /// As after a crash of a broker that had saved its sessions before the slot was retired and not since. Mosquitto 2.0 saves them without
    /// their shared subscriptions, so the session is made here.
    /// </summary>
    [Fact]
    public async Task A_retired_slots_session_that_the_broker_brings_back_keeps_no_messages()
    {
        await using var stays = await StartAsync();
        await using (await StartAsync()) { }
        await Eventually.TrueAsync(() => Directory.GetDirectories(directory.File("slots")).Length == 1);
        await ConnectAsAsync("slot-1", subscribe: true);
        // The other one's connection is taken over, so it makes a new one.
        await ConnectAsAsync("slot-0", subscribe: false);

        await PublishManyAsync("pi-1", 50, 4);
        await DeliveredAsync(200);
        await Eventually.TrueAsync(() => Directory.GetDirectories(directory.File("slots")).Length == 1);
        await PublishManyAsync("pi-2", 50, 4);
        await DeliveredAsync(400);

        AssertOnce(("pi-1", 1, 200), ("pi-2", 1, 200));

        async Task ConnectAsAsync(string slot, bool subscribe)
        {
            var installation = SmallFile.Open(await File.ReadAllBytesAsync(directory.File("install-id")));
            await LeaveSessionAsync($"forwarder-{installation}-{slot}", subscribe);
        }
    }

    [Fact]
    public async Task What_an_adopted_slot_has_no_room_for_is_not_thrown_away_with_its_session()
    {
        var options = Replica.Options(directory.Path, broker.Port);
        options.Journal.MaxBytes = 64 * 1024;
        options.Journal.SegmentBytes = 8 * 1024;
        destination.HoldCommits = true;
        await File.WriteAllBytesAsync(directory.File("install-id"), SmallFile.Seal("0123abcd"));
        // What a killed replica leaves: a session for which the broker holds a message, and a journal that is full because the destination
        // is away.
        await LeaveSessionAsync("forwarder-0123abcd-slot-1", subscribe: true);
        await PublishAsync("pi-1", 1, 40);
        var filled = 0;
        Directory.CreateDirectory(directory.File("filling"));
        using (
            var journal = DurableJournal.Open(
                options.Journal with
                {
                    Directory = directory.File("filling/journal"),
                },
                TimeProvider.System,
                NullLogger.Instance
            )
        )
        {
            for (; journal.WhyNoRoomFor(1200) is null; filled += 4)
                await journal.AppendAsync(new JournalRecord(Samples.Record("pi-2", "boot", (ulong)filled + 1, 4), 4));
        }
        Directory.CreateDirectory(directory.File("slots"));
        Directory.Move(directory.File("filling"), directory.File("slots/slot-1"));
        await using var replica = await Replica.StartAsync(options, destination.CreateSink);
        await Eventually.TrueAsync(
            () => replica.Health.Parts.Any(part => part is { Key: "journal slot-1", Value: not null }),
            () => string.Join(", ", replica.Health.Parts)
        );

        // Several times what counts as quiet.
        await Task.Delay(4 * options.SlotDrainQuiet, TimeProvider.System);
        destination.HoldCommits = false;
        await Eventually.TrueAsync(
            () => Directory.GetDirectories(directory.File("slots")).Length == 1,
            () => string.Join(", ", replica.Health.Parts)
        );

        AssertOnce(("pi-1", 1, 40), ("pi-2", 1, (ulong)filled));
    }

    [Fact]
    public async Task An_adopted_slot_is_not_retired_while_the_broker_is_away()
    {
        var options = Replica.Options(directory.Path, 0);
        await using var away = new ScriptedBroker("slot-1", 4 * options.SlotDrainQuiet);
        options = Replica.Options(directory.Path, away.Port);
        Directory.CreateDirectory(directory.File("slots/slot-1"));
        await using var replica = await Replica.StartAsync(options, destination.CreateSink);

        await Eventually.TrueAsync(() => away.HasCrashed);
        await Eventually.TrueAsync(() => Directory.GetDirectories(directory.File("slots")).Length == 1);

        Assert.True(away.IsEmpty, "retired while the broker still had a message for it");
        Assert.Single(destination.Rows);
    }

    [Fact]
    public async Task A_slot_with_a_torn_tail_is_emptied_and_retired()
    {
        await using var stays = await StartAsync();
        await using (var goes = await StartAsync())
        {
            await PublishManyAsync("pi-1", 20, 4);
            await DeliveredAsync(80);
        }
        TearTail("slot-1");

        await Eventually.TrueAsync(
            () => Directory.GetDirectories(Path.Combine(directory.Path, "slots")).Length == 1,
            () => string.Join(", ", stays.Health.Parts)
        );

        AssertOnce(("pi-1", 1, 80));
    }

    [Fact]
    public async Task A_torn_tail_holds_up_neither_health_nor_a_stop()
    {
        await using (var first = await StartAsync())
        {
            await PublishAsync("pi-1", 1, 4);
            await DeliveredAsync(4);
        }
        TearTail("slot-0");
        for (var i = 0; i < 2; i++)
            destination.Failures.Enqueue(new SinkException(SinkFailure.Reopen, "the channel is gone"));
        var second = await StartAsync(waitUntilReady: false);
        await Eventually.TrueAsync(
            () => destination.Failures.IsEmpty && second.Health.IsReady,
            () => string.Join(", ", second.Health.Parts)
        );

        var started = TimeProvider.System.GetTimestamp();
        await second.DisposeAsync();

        // It had 20 s for what is in the journal.
        Assert.InRange(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 0, 15);
    }

    [Fact]
    public async Task A_dead_replicas_journal_that_cannot_be_read_for_a_while_holds_intake_up_and_ends_nothing()
    {
        var options = Replica.Options(directory.Path, broker.Port, adoptionGrace: TimeSpan.FromHours(1));
        await using var stays = await Replica.StartAsync(options, destination.CreateSink);
        await using (var goes = await Replica.StartAsync(options, destination.CreateSink))
        {
            await PublishManyAsync("pi-1", 20, 4);
            await DeliveredAsync(80);
        }
        // It was killed when it was about to store what comes next: its journal says whether it did.
        using (var dying = new Ledger(directory.Path, new SlotJournals(directory.Path), TimeProvider.System, NullLogger.Instance))
        {
            using var entry = await dying.LockAsync("slot-1", CancellationToken.None);
            var claim = dying.Claim("slot-1", new SlotJournals(directory.Path).EpochOf("slot-1")!, 0);
            dying.AddToClaim(claim, Samples.Identity("pi-2", "boot", 1), 40);
            entry.Complete(claim);
        }
        var segment = Directory.GetFiles(Path.Combine(directory.Path, "slots", "slot-1", "journal"), "*.segment").Single();
        File.Move(segment, directory.File("aside"));
        File.CreateSymbolicLink(segment, segment);

        // Every second message is for the session of the one that is gone.
        await PublishManyAsync("pi-2", 10, 4);
        await Eventually.TrueAsync(
            () => stays.Execution.IsCompleted || stays.Health.Parts.Any(part => part is { Key: "ledger", Value: not null }),
            () => string.Join(", ", stays.Health.Parts)
        );
        Assert.DoesNotContain(destination.Rows, row => row.DeviceId == "pi-2");
        File.Move(directory.File("aside"), segment, overwrite: true);
        await Eventually.TrueAsync(() => destination.Rows.Any(row => row.DeviceId == "pi-2"), () => string.Join(", ", stays.Health.Parts));

        await Eventually.TrueAsync(() => stays.Health.IsReady, () => string.Join(", ", stays.Health.Parts));
    }
}
