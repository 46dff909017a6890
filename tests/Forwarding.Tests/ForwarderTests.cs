using System.Text;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>The loop as a whole: a real broker, real journals, a destination with the habits of a channel.</summary>
public sealed class ForwarderTests(ITestOutputHelper output) : IAsyncLifetime
{
    readonly TempDirectory directory = new();
    readonly Destination destination = new();
    readonly CancellationTokenSource stop = new();
    MosquittoProcess broker = null!;
    MqttClient publisher = null!;
    Task publishing = null!;

    public async ValueTask InitializeAsync()
    {
        broker = await MosquittoProcess.StartAsync(new MosquittoSettings { Persistence = true, Configuration = ["max_queued_messages 100000", "max_inflight_messages 1000"] });
        publisher = new MqttClient(new MqttOptions { Host = "127.0.0.1", Port = broker.Port, ClientId = "publisher", MaximumReconnectDelay = TimeSpan.FromMilliseconds(300) }, TimeProvider.System, NullLogger.Instance);
        publishing = publisher.RunAsync(stop.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await publishing;
        await publisher.DisposeAsync();
        await broker.DisposeAsync();
        stop.Dispose();
        directory.Dispose();
    }

    [Fact]
    public async Task Delivers_each_reading_once_however_often_it_arrives()
    {
        await using var replica = await StartAsync();

        for (var repeat = 0; repeat < 3; repeat++)
        {
            await PublishAsync("pi-1", 1, 10);
            await PublishAsync("pi-2", 5, 20);
            // A batch that is cut otherwise than the first time.
            await PublishAsync("pi-1", 8, 6);
        }
        await DeliveredAsync(13 + 20);

        AssertOnce(("pi-1", 1, 13), ("pi-2", 5, 24));
        // Counted when the last group is acknowledged, which may be after the rows are there.
        await Eventually.TrueAsync(() => replica.Metrics.DuplicateTotal == 3 * (10 + 20 + 6) - 33, () => $"{replica.Metrics.DuplicateTotal}");
    }

    [Fact]
    public async Task Takes_in_json_beside_protobuf_and_names_what_its_sender_did_not_number_by_its_place()
    {
        await using var replica = await StartAsync();

        for (var i = 0; i < 2; i++)
        {
            await PublishAsync("telemetry/v1/esp32/thermal", """{"temperature": 21.5, "device_id": "esp32"}"""u8.ToArray(), null);
            await PublishAsync("telemetry/v1/pi-3/thermal", """[{"boot_id":"b","sequence":1},{"boot_id":"b","sequence":2}]"""u8.ToArray(), "application/json");
        }
        // The same reading twice in one message, and out of order.
        await PublishAsync("telemetry/v1/pi-3/thermal", """[{"boot_id":"b","sequence":4},{"boot_id":"b","sequence":3},{"boot_id":"b","sequence":4}]"""u8.ToArray(), "application/json");
        await DeliveredAsync(6);

        var unnumbered = destination.Rows.Where(row => row.DeviceId == "esp32").ToList();
        Assert.Equal(2, unnumbered.Distinct().Count());
        Assert.All(unnumbered, row => Assert.Matches("^journal-[0-9a-f]{16}$", row.BootId));
        Assert.Equal([1UL, 2UL, 3UL, 4UL], destination.Rows.Where(row => row.DeviceId == "pi-3").Select(row => row.Sequence).Order());
    }

    [Fact]
    public async Task Puts_what_cannot_be_read_aside_and_goes_on()
    {
        await using var replica = await StartAsync();
        byte[][] poison =
        [
            [0xFF, 0xFE, 0x00], "{\"temperature\":\"warm\"}"u8.ToArray(), "{\"sequence\":-1}"u8.ToArray(), "[1,2]"u8.ToArray(), "{"u8.ToArray(),
            Samples.Batch("pi-1", "boot", 1, 10).ToByteArray()[..^3], new byte[5_000_000], "{\"device_id\":\"a/b\"}"u8.ToArray(),
            System.Text.Encoding.UTF8.GetBytes("[" + string.Concat(Enumerable.Repeat("{},", 999_999)) + "{}]"),
        ];
        foreach (var payload in poison)
        {
            await PublishAsync("telemetry/v1/pi-1/thermal", payload, null);
            await PublishAsync("pi-1", 1, 10);
        }

        await DeliveredAsync(10);
        await Eventually.TrueAsync(() => replica.Metrics.PoisonTotal == poison.Length);

        AssertOnce(("pi-1", 1, 10));
        var letters = DeadLetters.ReadAll(Path.Combine(directory.Path, "dead-letters")).ToList();
        Assert.Equal(poison.Length, letters.Count);
        Assert.All(letters, letter => Assert.NotEmpty(letter.Reason));
        Assert.Equal(poison.Select(Convert.ToHexString).Order(), letters.Select(letter => Convert.ToHexString(letter.Payload.Span)).Order());
    }

    [Theory]
    [InlineData("")]
    // Where a killed forwarder had left it.
    [InlineData(".slot-0")]
    public async Task Takes_in_dead_letters_again_when_a_person_sends_them_back(string suffix)
    {
        await using (var first = await StartAsync())
        {
            await PublishAsync("pi-1", 1, 5);
            await DeliveredAsync(5);
        }
        var deadLetters = Path.Combine(directory.Path, "dead-letters");
        new DeadLetters(deadLetters, 1 << 20, TimeProvider.System, NullLogger.Instance).Add("refused", [new BatchReading(2, Samples.Payload("pi-1", "boot", 3, 1), 0)]);
        Directory.CreateDirectory(DeadLetters.ReplayDirectory(deadLetters));
        foreach (var file in DeadLetters.Files(deadLetters))
            File.Move(file, Path.Combine(DeadLetters.ReplayDirectory(deadLetters), Path.GetFileName(file) + suffix));

        await using var second = await StartAsync();
        await DeliveredAsync(6);

        Assert.Equal(2, destination.Rows.Count(row => row.Sequence == 3));
        await ReplayedAsync(second);
        Assert.Empty(Directory.EnumerateFiles(DeadLetters.ReplayDirectory(deadLetters)));
    }

    /// <summary>Its note says that some letters were being appended; how far that came, only the journal can say.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Letters_that_a_killed_forwarder_was_taking_in_are_taken_in_once(int appended)
    {
        // Of three readings, of none, of one, of two.
        var letters = new DeadLetters(DeadLettersDirectory, 1 << 20, TimeProvider.System, NullLogger.Instance);
        letters.AddMessage("", "telemetry/v1/pi-1/thermal", Payload.ProtobufContentType, Samples.Batch("pi-1", "boot", 1, 3).ToByteArray());
        letters.AddMessage("", "telemetry/v1/pi-1/thermal", null, "{}{"u8);
        letters.AddMessage("", "telemetry/v1/pi-1/thermal", Payload.ProtobufContentType, Samples.Batch("pi-1", "boot", 4, 1).ToByteArray());
        letters.AddMessage("", "telemetry/v1/pi-1/thermal", Payload.ProtobufContentType, Samples.Batch("pi-1", "boot", 5, 2).ToByteArray());
        letters.Flush();
        ReplayAll();
        var file = Assert.Single(Directory.GetFiles(DeadLetters.ReplayDirectory(DeadLettersDirectory))) + ".slot-0";
        File.Move(file[..^".slot-0".Length], file);
        Directory.CreateDirectory(directory.File("slots/slot-0"));
        using (var journal = DurableJournal.Open(new JournalOptions { Directory = directory.File("slots/slot-0/journal"), FreeSpaceReserveBytes = 0 }, TimeProvider.System, NullLogger.Instance))
        {
            await journal.AppendAsync(new JournalRecord(Samples.Record("pi-2", "boot", 1, 7), 7));
            await File.WriteAllBytesAsync(file + ".taken", SmallFile.Seal($"0 {journal.Epoch} {journal.NextOffset} 3 0 1 2"));
            (ulong First, int Count)[] records = [(1, 3), (4, 1), (5, 2)];
            foreach (var (first, count) in records.Take(appended > 1 ? appended - 1 : appended))
                await journal.AppendAsync(new JournalRecord(Samples.Record("pi-1", "boot", first, count), count));
        }

        await using var replica = await StartAsync();
        await ReplayedAsync(replica);
        await DeliveredAsync(13);

        AssertOnce(("pi-1", 1, 6), ("pi-2", 1, 7));
        Assert.Empty(Directory.GetFiles(DeadLetters.ReplayDirectory(DeadLettersDirectory)));
    }

    [Fact]
    public async Task A_small_journal_takes_in_letters_that_are_more_than_it_holds()
    {
        var options = Replica.Options(directory.Path, broker.Port);
        options.Journal.MaxBytes = 64 * 1024;
        options.Journal.SegmentBytes = 8 * 1024;
        var letters = new DeadLetters(DeadLettersDirectory, 64 << 20, TimeProvider.System, NullLogger.Instance);
        for (var number = 1; number <= 150; number++)
            letters.AddMessage("", "telemetry/v1/pi-1/thermal", null, Encoding.UTF8.GetBytes($$"""{"boot_id":"boot","sequence":{{number}},"note":"{{new string('x', 3000)}}"}"""));
        letters.Flush();
        ReplayAll();

        await using var replica = await Replica.StartAsync(options, destination.CreateSink);
        await ReplayedAsync(replica);
        await DeliveredAsync(150);

        AssertOnce(("pi-1", 1, 150));
    }

    [Fact]
    public async Task A_note_that_cannot_be_written_holds_up_its_file_and_nothing_else()
    {
        var letters = new DeadLetters(DeadLettersDirectory, 64 << 20, TimeProvider.System, NullLogger.Instance);
        letters.AddMessage("", "telemetry/v1/pi-2/thermal", null, "{}{"u8);
        letters.AddMessage("", "telemetry/v1/pi-2/thermal", Payload.ProtobufContentType, Samples.Batch("pi-2", "boot", 1, 3).ToByteArray());
        letters.Flush();
        ReplayAll();
        var note = Assert.Single(Directory.GetFiles(DeadLetters.ReplayDirectory(DeadLettersDirectory))) + ".slot-0.taken";
        Directory.CreateDirectory(note);
        await using var replica = await Replica.StartAsync(Replica.Options(directory.Path, broker.Port), destination.CreateSink, waitUntilReady: false);
        await Eventually.TrueAsync(() => replica.Health.Parts.Any(part => part is { Key: "replay slot-0", Value: not null }));

        for (ulong first = 1; first <= 20; first += 10)
        {
            await PublishAsync("pi-1", first, 10);
            await DeliveredAsync((int)first + 9);
            // Another attempt leaves this behind.
            File.Delete(note + ".tmp");
            await Eventually.TrueAsync(() => File.Exists(note + ".tmp"));
        }
        Assert.Empty(DeadLetters.ReadAll(DeadLettersDirectory));
        Directory.Delete(note);
        await ReplayedAsync(replica);
        await DeliveredAsync(23);

        AssertOnce(("pi-1", 1, 20), ("pi-2", 1, 3));
        Assert.Single(DeadLetters.ReadAll(DeadLettersDirectory));
    }

    [Fact]
    public async Task A_replay_goes_on_where_it_was_when_the_forwarder_stopped()
    {
        const int count = 5_000;
        new DeadLetters(DeadLettersDirectory, 64 << 20, TimeProvider.System, NullLogger.Instance)
            .Add("refused", Enumerable.Range(0, count).Select(number => new BatchReading(number, Samples.Payload("pi-1", "boot", (ulong)number + 1, 1), 0)));
        ReplayAll();
        var stops = 0;
        while (Directory.GetFiles(DeadLetters.ReplayDirectory(DeadLettersDirectory)).Length > 0)
        {
            await using var replica = await Replica.StartAsync(Replica.Options(directory.Path, broker.Port), destination.CreateSink, waitUntilReady: false);
            var before = destination.Rows.Count;
            await Eventually.TrueAsync(() => destination.Rows.Count > before || Directory.GetFiles(DeadLetters.ReplayDirectory(DeadLettersDirectory)).Length == 0);
            stops++;
        }
        await using var last = await StartAsync();
        await DeliveredAsync(count);

        output.WriteLine($"stopped {stops} times");
        AssertOnce(("pi-1", 1, count));
    }

    [Fact]
    public async Task What_still_cannot_be_stored_comes_back_from_a_replay()
    {
        var options = Replica.Options(directory.Path, broker.Port);
        options.Journal.MaxBytes = 1 << 20;
        await using var replica = await Replica.StartAsync(options, destination.CreateSink);
        var tooLong = new byte[300_000];
        tooLong.AsSpan().Fill((byte)' ');
        "{}"u8.CopyTo(tooLong);
        (string Topic, byte[] Payload)[] poison =
        [
            ("telemetry/v1/pi-1/thermal", "{\"temperature\":\"warm\"}"u8.ToArray()),
            ("telemetry/v1/pi-1/thermal", tooLong),
            ($"telemetry/v1/{new string('d', 101)}/thermal", "{\"temperature\":21}"u8.ToArray()),
        ];
        foreach (var (topic, payload) in poison)
            await PublishAsync(topic, payload, null);
        await Eventually.TrueAsync(() => replica.Metrics.PoisonTotal == poison.Length);
        // What a person's hand left, which is no letter.
        await File.AppendAllTextAsync(DeadLetters.Files(DeadLettersDirectory)[0], "{\"at\":\n");

        for (var repeat = 0; repeat < 2; repeat++)
        {
            ReplayAll();
            await ReplayedAsync(replica);
        }

        Assert.Equal(
            poison.Select(message => $"{message.Topic} {Convert.ToHexString(message.Payload)}").Append($" {Convert.ToHexString("{\"at\":"u8)}").Order(StringComparer.Ordinal),
            DeadLetters.ReadAll(DeadLettersDirectory).Select(letter => $"{letter.Topic} {Convert.ToHexString(letter.Payload.Span)}").Order(StringComparer.Ordinal));
        // And the next one is kept too.
        await PublishAsync("telemetry/v1/pi-1/thermal", "{\"temperature\":\"later\"}"u8.ToArray(), null);
        await Eventually.TrueAsync(() => DeadLetters.ReadAll(DeadLettersDirectory).Count() == poison.Length + 2);
    }

    [Fact]
    public async Task A_letter_that_is_being_written_when_its_file_is_sent_back_is_taken_in_too()
    {
        await using var replica = await StartAsync();
        await PublishAsync("telemetry/v1/pi-1/thermal", "{\"temperature\":\"warm\"}"u8.ToArray(), null);
        await Eventually.TrueAsync(() => DeadLetters.ReadAll(DeadLettersDirectory).Any());
        var file = Assert.Single(DeadLetters.Files(DeadLettersDirectory));
        var letter = await File.ReadAllBytesAsync(file);
        // As another replica has it while it writes.
        using (var writing = File.OpenHandle(file, FileMode.Open, FileAccess.Write, FileShare.Read))
        {
            ReplayAll();
            await Eventually.TrueAsync(() => Directory.EnumerateFiles(DeadLetters.ReplayDirectory(DeadLettersDirectory), "*.slot-0").Any());
            RandomAccess.Write(writing, letter, letter.Length);
        }

        await ReplayedAsync(replica);

        Assert.Equal(2, DeadLetters.ReadAll(DeadLettersDirectory).Count());
    }

    [Fact]
    public async Task A_file_that_cannot_be_taken_in_is_reported_and_holds_nothing_up()
    {
        await using var replica = await StartAsync();
        await PublishAsync("telemetry/v1/pi-1/thermal", "{\"temperature\":\"warm\"}"u8.ToArray(), null);
        await Eventually.TrueAsync(() => DeadLetters.ReadAll(DeadLettersDirectory).Any());
        var file = Path.Combine(DeadLetters.ReplayDirectory(DeadLettersDirectory), Path.GetFileName(Assert.Single(DeadLetters.Files(DeadLettersDirectory))));
        // In the way of the name under which it would be taken.
        Directory.CreateDirectory(file + ".slot-0");
        ReplayAll();

        await Eventually.TrueAsync(() => replica.Health.Parts.Any(part => part.Key == "replay slot-0" && part.Value!.StartsWith(file, StringComparison.Ordinal)), () => string.Join(", ", replica.Health.Parts));
        await PublishAsync("pi-1", 1, 10);
        await DeliveredAsync(10);
        Directory.Delete(file + ".slot-0");

        await ReplayedAsync(replica);
        await Eventually.TrueAsync(() => replica.Health.IsReady);
        Assert.Single(DeadLetters.ReadAll(DeadLettersDirectory));
    }

    [Fact]
    public async Task What_a_slot_had_begun_to_take_in_again_is_not_left_behind_when_it_is_retired()
    {
        Directory.CreateDirectory(directory.File("slots/slot-1"));
        new DeadLetters(DeadLettersDirectory, 64 << 20, TimeProvider.System, NullLogger.Instance).Add("refused", [new BatchReading(2, Samples.Payload("pi-1", "boot", 3, 1), 0)]);
        ReplayAll();
        var replay = Assert.Single(Directory.GetFiles(DeadLetters.ReplayDirectory(DeadLettersDirectory)));
        File.Move(replay, replay + ".slot-1");

        await using var replica = await StartAsync();
        await Eventually.TrueAsync(() => Directory.GetDirectories(directory.File("slots")).Length == 1);

        Assert.Empty(Directory.GetFiles(DeadLetters.ReplayDirectory(DeadLettersDirectory)));
        AssertOnce(("pi-1", 3, 3));
    }

    [Fact]
    public async Task Numbers_that_go_over_the_end_spoil_nothing()
    {
        await using (var first = await StartAsync())
        {
            for (var i = 0; i < 2; i++)
                await PublishAsync("telemetry/v1/pi-3/thermal", """[{"boot_id":"b","sequence":18446744073709551615},{"boot_id":"b","sequence":0},{"boot_id":"b","sequence":1}]"""u8.ToArray(), "application/json");
            await Eventually.TrueAsync(() => first.Metrics.ReceivedTotal == 6);
        }
        await using var second = await StartAsync();
        await PublishAsync("pi-1", 1, 10);

        // The repeated message is stored once: 0 is a sequence too.
        await DeliveredAsync(13);
        Assert.Equal([0UL, 1UL, ulong.MaxValue], destination.Rows.Where(row => row.DeviceId == "pi-3").Select(row => row.Sequence).Order());
    }

    [Fact]
    public async Task Repeats_a_batch_whose_reply_was_lost_without_doubling_it()
    {
        destination.LoseReplies = true;
        await using var replica = await StartAsync();
        destination.Failures.Enqueue(new SinkException(SinkFailure.Transient, "no reply", TimeSpan.FromMilliseconds(10)));

        await PublishAsync("pi-1", 1, 100);
        await DeliveredAsync(100);

        AssertOnce(("pi-1", 1, 100));
    }

    [Fact]
    public async Task Sends_again_what_was_not_committed_when_the_channel_must_be_reopened()
    {
        destination.HoldCommits = true;
        await using var replica = await StartAsync();
        await PublishAsync("pi-1", 1, 100);
        await Eventually.TrueAsync(() => destination.Sent.Sum(sent => sent.End - sent.First) == 100);

        destination.Failures.Enqueue(new SinkException(SinkFailure.Reopen, "the channel is gone", TimeSpan.FromMilliseconds(10)));
        await Eventually.TrueAsync(() => destination.Opens == 2 && destination.Sent.Sum(sent => sent.End - sent.First) == 200);
        destination.HoldCommits = false;
        await DeliveredAsync(100);

        AssertOnce(("pi-1", 1, 100));
    }

    [Fact]
    public async Task Says_that_a_channel_which_is_reopened_again_and_again_makes_no_progress()
    {
        await using var replica = await StartAsync();
        // Opening works now and then, and the next call fails again.
        destination.HoldCommits = true;
        await PublishAsync("pi-1", 11, 10);
        for (var i = 0; i < 5; i++)
        {
            var opens = destination.Opens;
            destination.Failures.Enqueue(new SinkException(SinkFailure.Reopen, "stale", TimeSpan.FromMilliseconds(50)));
            await Eventually.TrueAsync(() => destination.Opens > opens);
        }
        // That a send is accepted and a poll answered is no progress either.
        var polls = destination.Polls;
        await Eventually.TrueAsync(() => destination.Polls > polls + 5);

        Assert.Contains(replica.Health.Parts, part => part.Value?.Contains("reopened 5 times in a row without progress", StringComparison.Ordinal) == true);
        destination.HoldCommits = false;
        await PublishAsync("pi-1", 1, 10);
        await DeliveredAsync(20);

        await Eventually.TrueAsync(() => replica.Health.IsReady);
    }

    [Fact]
    public async Task What_is_stored_and_cannot_be_read_goes_to_the_dead_letters_and_holds_nothing_up()
    {
        var slot = Path.Combine(directory.Path, "slots", "slot-0", "journal");
        using (var journal = DurableJournal.Open(new JournalOptions { Directory = slot, FreeSpaceReserveBytes = 0 }, TimeProvider.System, NullLogger.Instance))
        {
            // A later version's record, and one of ours whose payload is not what it says.
            await journal.AppendAsync(new JournalRecord(new byte[] { 99, 1, 2, 3 }, 3), CancellationToken.None);
            await journal.AppendAsync(new JournalRecord(new byte[] { 0xFF, 0xFF, 0xFF }, 2) { Prefix = StoredPayload.Header(false, ReadingKind.Thermal, "pi-9", TimeProvider.System.GetUtcNow()) }, CancellationToken.None);
        }
        await using var replica = await StartAsync();

        await PublishAsync("pi-1", 1, 10);
        await DeliveredAsync(10);

        AssertOnce(("pi-1", 1, 10));
        var letters = DeadLetters.ReadAll(Path.Combine(directory.Path, "dead-letters")).ToList();
        Assert.Equal(["", "telemetry/v1/pi-9/thermal"], letters.Select(letter => letter.Topic));
        Assert.Equal([[99, 1, 2, 3], [0xFF, 0xFF, 0xFF]], letters.Select(letter => letter.Payload.ToArray()));
        Assert.True(replica.Health.IsReady);
    }

    [Fact]
    public async Task Stores_while_the_destination_is_away_and_delivers_everything_later()
    {
        for (var i = 0; i < 4; i++)
            destination.Failures.Enqueue(new SinkException(SinkFailure.Transient, "connection refused", TimeSpan.FromMilliseconds(200)));
        await using var replica = await StartAsync(waitUntilReady: false);
        await Eventually.TrueAsync(() => replica.Health.Parts.Any(part => part is { Key: "mqtt slot-0", Value: null }));

        await PublishAsync("pi-1", 1, 1000);
        await DeliveredAsync(1000);

        AssertOnce(("pi-1", 1, 1000));
    }

    [Fact]
    public async Task Loses_and_doubles_nothing_when_the_broker_is_killed_while_everything_is_published_again()
    {
        await using var replica = await StartAsync();
        var sending = PublishManyAsync("pi-1", 300, 10);
        await Eventually.TrueAsync(() => destination.Rows.Count > 100);

        broker.Kill();
        await broker.StartAgainAsync();
        await sending;
        // What an agent does after any loss of connection.
        await PublishManyAsync("pi-1", 300, 10);
        await DeliveredAsync(3000);

        AssertOnce(("pi-1", 1, 3000));
    }

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

    /// <summary>Under another identity nobody would fetch what the broker holds for the sessions of this one.</summary>
    [Theory]
    [InlineData("install-id")]
    [InlineData("install-id.copy")]
    public async Task A_damaged_identity_is_known_from_its_copy(string file)
    {
        await using (await StartAsync())
        {
        }
        // The session's, while nobody is there.
        await PublishManyAsync("pi-1", 10, 4);
        var bytes = await File.ReadAllBytesAsync(directory.File(file));
        bytes[2] = bytes[2] == '0' ? (byte)'1' : (byte)'0';
        await File.WriteAllBytesAsync(directory.File(file), bytes);

        await using (await StartAsync())
            await DeliveredAsync(40);

        AssertOnce(("pi-1", 1, 40));
        Assert.Equal(await File.ReadAllBytesAsync(directory.File("install-id")), await File.ReadAllBytesAsync(directory.File("install-id.copy")));
    }

    /// <summary>
    /// As after a crash of a broker that had saved its sessions before the slot was retired and not since. Mosquitto 2.0 saves them without
    /// their shared subscriptions, so the session is made here.
    /// </summary>
    [Fact]
    public async Task A_retired_slots_session_that_the_broker_brings_back_keeps_no_messages()
    {
        await using var stays = await StartAsync();
        await using (await StartAsync())
        {
        }
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
            var options = new MqttOptions { Host = "127.0.0.1", Port = broker.Port, ClientId = $"forwarder-{SmallFile.Open(await File.ReadAllBytesAsync(directory.File("install-id")))}-{slot}" };
            if (subscribe)
                options = options with { Subscriptions = [new MqttSubscription(Replica.Options(directory.Path, 0).Subscription)] };
            await using var client = new MqttClient(options, TimeProvider.System, NullLogger.Instance);
            _ = client.RunAsync(CancellationToken.None);
            await Eventually.TrueAsync(() => client.State.IsReady);
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
        await using (var session = new MqttClient(new MqttOptions { Host = "127.0.0.1", Port = broker.Port, ClientId = "forwarder-0123abcd-slot-1", Subscriptions = [new MqttSubscription(options.Subscription)] }, TimeProvider.System, NullLogger.Instance))
        {
            _ = session.RunAsync(CancellationToken.None);
            await Eventually.TrueAsync(() => session.State.IsReady);
        }
        await PublishAsync("pi-1", 1, 40);
        var filled = 0;
        Directory.CreateDirectory(directory.File("filling"));
        using (var journal = DurableJournal.Open(options.Journal with { Directory = directory.File("filling/journal") }, TimeProvider.System, NullLogger.Instance))
        {
            for (; journal.WhyNoRoomFor(1200) is null; filled += 4)
                await journal.AppendAsync(new JournalRecord(Samples.Record("pi-2", "boot", (ulong)filled + 1, 4), 4));
        }
        Directory.CreateDirectory(directory.File("slots"));
        Directory.Move(directory.File("filling"), directory.File("slots/slot-1"));
        await using var replica = await Replica.StartAsync(options, destination.CreateSink);
        await Eventually.TrueAsync(() => replica.Health.Parts.Any(part => part is { Key: "journal slot-1", Value: not null }), () => string.Join(", ", replica.Health.Parts));

        // Several times what counts as quiet.
        await Task.Delay(4 * options.SlotDrainQuiet, TimeProvider.System);
        destination.HoldCommits = false;
        await Eventually.TrueAsync(() => Directory.GetDirectories(directory.File("slots")).Length == 1, () => string.Join(", ", replica.Health.Parts));

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
    public async Task Waits_with_a_reason_when_its_journal_is_full_and_goes_on_when_there_is_room()
    {
        destination.HoldCommits = true;
        var options = Replica.Options(directory.Path, broker.Port);
        options.Journal.MaxBytes = 64 * 1024;
        options.Journal.SegmentBytes = 8 * 1024;
        await using var replica = await Replica.StartAsync(options, destination.CreateSink);
        var sending = PublishManyAsync("pi-1", 400, 10);

        await Eventually.TrueAsync(() => replica.Health.Parts.Any(part => part.Key == "journal slot-0" && part.Value is not null), () => string.Join("; ", replica.Health.Parts) + $" received {replica.Metrics.ReceivedTotal} stored {replica.Metrics.StoredTotal}");
        Assert.InRange(replica.Metrics.StoredTotal, 1, 3999);
        destination.HoldCommits = false;
        await sending;
        await DeliveredAsync(4000);

        AssertOnce(("pi-1", 1, 4000));
        await Eventually.TrueAsync(() => replica.Health.IsReady);
    }

    /// <summary>Also what comes alone, and however little the broker lets be unacknowledged.</summary>
    [Fact]
    public async Task Stores_when_the_linger_that_was_asked_for_is_over_and_no_sooner()
    {
        var options = Replica.Options(directory.Path, broker.Port);
        options.Journal.Linger = TimeSpan.FromSeconds(1);
        await using var replica = await Replica.StartAsync(options, destination.CreateSink);
        for (var message = 0UL; message < 3; message++)
        {
            var published = TimeProvider.System.GetTimestamp();

            await PublishAsync("pi-1", 1 + message * 10, 10);
            await Eventually.TrueAsync(() => replica.Metrics.StoredTotal == (long)(message + 1) * 10);

            Assert.InRange(TimeProvider.System.GetElapsedTime(published), options.Journal.Linger - TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(30));
        }
        await DeliveredAsync(30);
    }

    [Fact]
    public async Task Delivers_what_it_has_before_it_stops()
    {
        var replica = await StartAsync();
        await PublishManyAsync("pi-1", 100, 10);
        await Eventually.TrueAsync(() => replica.Metrics.StoredTotal == 1000);

        await replica.DisposeAsync();

        AssertOnce(("pi-1", 1, 1000));
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

        await Eventually.TrueAsync(() => Directory.GetDirectories(Path.Combine(directory.Path, "slots")).Length == 1, () => string.Join(", ", stays.Health.Parts));

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
        await Eventually.TrueAsync(() => destination.Failures.IsEmpty && second.Health.IsReady, () => string.Join(", ", second.Health.Parts));

        var started = TimeProvider.System.GetTimestamp();
        await second.DisposeAsync();

        // It had 20 s for what is in the journal.
        Assert.InRange(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 0, 15);
    }

    [Fact]
    public async Task A_journal_that_cannot_be_read_for_a_while_is_read_later()
    {
        // The destination is away, so the segment is open for writing and not yet for reading.
        for (var i = 0; i < 10_000; i++)
            destination.Failures.Enqueue(new SinkException(SinkFailure.Transient, "not yet", TimeSpan.FromMilliseconds(10)));
        await using var replica = await StartAsync(waitUntilReady: false);
        await PublishAsync("pi-1", 1, 10);
        await Eventually.TrueAsync(() => replica.Metrics.StoredTotal == 10, () => string.Join(", ", replica.Health.Parts));
        var segment = Directory.GetFiles(Path.Combine(directory.Path, "slots", "slot-0", "journal"), "*.segment").Single();
        // In its place, what nobody can open; the replica writes to the file that it has open.
        File.Move(segment, directory.File("aside"));
        File.CreateSymbolicLink(segment, segment);
        destination.Failures.Clear();
        await Eventually.TrueAsync(() => replica.Health.Parts.Any(part => part is { Key: "delivery slot-0", Value: { } problem } && problem.Contains("the journal cannot be read", StringComparison.Ordinal)),
            () => string.Join(", ", replica.Health.Parts));

        File.Move(directory.File("aside"), segment, overwrite: true);
        await DeliveredAsync(10);
        await Eventually.TrueAsync(() => replica.Health.IsReady, () => string.Join(", ", replica.Health.Parts));

        AssertOnce(("pi-1", 1, 10));
        Assert.Equal(1, destination.Opens);
    }

    [Fact]
    public async Task A_stop_does_not_wait_for_a_disk_that_refuses_what_was_received()
    {
        string segment;
        await using (var replica = await StartAsync())
        {
            segment = Directory.GetFiles(Path.Combine(directory.Path, "slots", "slot-0", "journal"), "*.segment").Single();
            // Nothing was appended yet, so the segment is not open, and a link to itself cannot be opened.
            File.Move(segment, directory.File("aside"));
            File.CreateSymbolicLink(segment, segment);
            await PublishAsync("pi-1", 1, 10);
            await Eventually.TrueAsync(() => replica.Health.Parts.Any(part => part is { Key: "journal slot-0", Value: not null }), () => string.Join(", ", replica.Health.Parts));

            await replica.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(15));
        }
        File.Move(directory.File("aside"), segment, overwrite: true);

        await using var next = await StartAsync();
        await DeliveredAsync(10);
        AssertOnce(("pi-1", 1, 10));
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
            using var entry = await dying.EnterAsync("slot-1", CancellationToken.None);
            var claim = dying.Claim("slot-1", new SlotJournals(directory.Path).EpochOf("slot-1")!, 0);
            dying.AddToClaim(claim, Samples.Identity("pi-2", "boot", 1), 40);
            entry.Complete(claim);
        }
        var segment = Directory.GetFiles(Path.Combine(directory.Path, "slots", "slot-1", "journal"), "*.segment").Single();
        File.Move(segment, directory.File("aside"));
        File.CreateSymbolicLink(segment, segment);

        // Every second message is for the session of the one that is gone.
        await PublishManyAsync("pi-2", 10, 4);
        await Eventually.TrueAsync(() => stays.Execution.IsCompleted || stays.Health.Parts.Any(part => part is { Key: "ledger", Value: not null }), () => string.Join(", ", stays.Health.Parts));
        Assert.DoesNotContain(destination.Rows, row => row.DeviceId == "pi-2");
        File.Move(directory.File("aside"), segment, overwrite: true);
        await Eventually.TrueAsync(() => destination.Rows.Any(row => row.DeviceId == "pi-2"), () => string.Join(", ", stays.Health.Parts));

        await Eventually.TrueAsync(() => stays.Health.IsReady, () => string.Join(", ", stays.Health.Parts));
    }

    [Theory]
    [InlineData("slots/slot-0/journal/lock")]
    public async Task A_file_that_cannot_be_used_is_a_problem_of_the_configuration_in_one_line(string file)
    {
        // What is in its place cannot be opened as a file, whoever runs this.
        Directory.CreateDirectory(directory.File(file));
        await using var replica = await StartAsync(waitUntilReady: false);

        var problem = await Assert.ThrowsAsync<ConfigurationException>(() => replica.Execution.WaitAsync(TimeSpan.FromSeconds(30)));

        var line = Assert.Single(problem.Problems);
        Assert.StartsWith($"DATA_DIRECTORY is '{directory.Path}': The ", line, StringComparison.Ordinal);
        Assert.Contains("cannot be used: ", line, StringComparison.Ordinal);
        Assert.Contains(directory.Path, line, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', line);
    }

    [Theory]
    [InlineData("ledger.lock")]
    [InlineData("ledger")]
    public async Task A_ledger_that_cannot_be_used_at_the_start_holds_intake_up_and_nothing_else(string file)
    {
        var slot = Path.Combine(directory.Path, "slots", "slot-0", "journal");
        using (var journal = DurableJournal.Open(new JournalOptions { Directory = slot, FreeSpaceReserveBytes = 0 }, TimeProvider.System, NullLogger.Instance))
            await journal.AppendAsync(new JournalRecord(Samples.Record("pi-1", "boot", 1, 10), 10));
        // What is in its place cannot be opened as a file, whoever runs this.
        Directory.CreateDirectory(directory.File(file));
        await using var replica = await StartAsync(waitUntilReady: false);

        // What the journal has is delivered meanwhile.
        await DeliveredAsync(10);
        await PublishAsync("pi-1", 11, 10);
        await Eventually.TrueAsync(() => Ledger() is { } problem && problem.Contains("cannot be used", StringComparison.Ordinal), () => string.Join(", ", replica.Health.Parts));
        Assert.StartsWith($"The ledger {directory.File("ledger")} cannot be used: ", Ledger(), StringComparison.Ordinal);
        Assert.False(replica.Execution.IsCompleted);
        Assert.Equal(0, replica.Metrics.StoredTotal);
        Directory.Delete(directory.File(file));

        await DeliveredAsync(20);
        await Eventually.TrueAsync(() => replica.Health.IsReady, () => string.Join(", ", replica.Health.Parts));
        AssertOnce(("pi-1", 1, 20));

        string? Ledger() => replica.Health.Parts.SingleOrDefault(part => part.Key == "ledger").Value;
    }

    [Fact]
    public async Task A_ledger_that_cannot_be_used_holds_intake_up_and_says_so_until_it_can()
    {
        await using var replica = await StartAsync();
        await PublishAsync("pi-1", 1, 10);
        await DeliveredAsync(10);
        byte[] later = [9, 1, 2, 3];
        await File.AppendAllBytesAsync(directory.File("ledger"), (byte[])[4, 0, 0, 0, .. BitConverter.GetBytes(Crc32C.Compute(later)), .. later]);

        await PublishAsync("pi-1", 11, 10);
        await Eventually.TrueAsync(() => replica.Execution.IsCompleted || replica.Health.Parts.Any(part => part is { Key: "ledger", Value: not null }), () => string.Join(", ", replica.Health.Parts));
        Assert.StartsWith($"The ledger {directory.File("ledger")} cannot be used: ", replica.Health.Parts.Single(part => part.Key == "ledger").Value, StringComparison.Ordinal);
        using (var ledger = File.OpenWrite(directory.File("ledger")))
            ledger.SetLength(ledger.Length - 12);

        await DeliveredAsync(20);
        await Eventually.TrueAsync(() => replica.Health.IsReady, () => string.Join(", ", replica.Health.Parts));
    }

    [Fact]
    public async Task A_ledger_that_cannot_be_used_does_not_hold_up_a_stop()
    {
        var replica = await StartAsync();
        await PublishAsync("pi-1", 1, 10);
        await DeliveredAsync(10);
        byte[] later = [9, 1, 2, 3];
        await File.AppendAllBytesAsync(directory.File("ledger"), (byte[])[4, 0, 0, 0, .. BitConverter.GetBytes(Crc32C.Compute(later)), .. later]);
        await PublishAsync("pi-1", 11, 10);
        await Eventually.TrueAsync(() => replica.Health.Parts.Any(part => part is { Key: "ledger", Value: not null }), () => string.Join(", ", replica.Health.Parts));

        await replica.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(15));
    }

    string DeadLettersDirectory => directory.File("dead-letters");

    /// <summary>What <c>dead-letters replay</c> does.</summary>
    void ReplayAll()
    {
        Directory.CreateDirectory(DeadLetters.ReplayDirectory(DeadLettersDirectory));
        foreach (var file in DeadLetters.Files(DeadLettersDirectory))
            File.Move(file, Path.Combine(DeadLetters.ReplayDirectory(DeadLettersDirectory), Path.GetFileName(file)));
    }

    async Task ReplayedAsync(Replica replica)
        => await Eventually.TrueAsync(() => !Directory.EnumerateFileSystemEntries(DeadLetters.ReplayDirectory(DeadLettersDirectory)).Any() || replica.Execution.IsCompleted, () => string.Join(", ", replica.Health.Parts));

    async Task<Replica> StartAsync(bool waitUntilReady = true)
        => await Replica.StartAsync(Replica.Options(directory.Path, broker.Port), destination.CreateSink, waitUntilReady);

    Task PublishAsync(string device, ulong first, int count)
        => PublishAsync(Topics.Readings(device, ReadingKind.Thermal), Samples.Batch(device, "boot", first, count).ToByteArray(), Payload.ProtobufContentType);

    async Task PublishAsync(string topic, byte[] payload, string? contentType)
    {
        // A broker that was killed before it saved the replica's session knows nobody until the replica is back. An agent waits for that
        // too.
        using var ceiling = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (await publisher.PublishAsync(topic, payload, MqttQos.AtLeastOnce, contentType: contentType).WaitAsync(ceiling.Token) == MqttReasonCode.NoMatchingSubscribers)
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, ceiling.Token);
    }

    /// <summary>What a power cut during an append may leave.</summary>
    void TearTail(string slot)
        => File.AppendAllText(Directory.GetFiles(Path.Combine(directory.Path, "slots", slot, "journal"), "*.segment").Order(StringComparer.Ordinal).Last(), "torn");

    Task PublishManyAsync(string device, int messages, int readings)
        => Task.WhenAll(Enumerable.Range(0, messages).Select(i => PublishAsync(device, (ulong)(i * readings + 1), readings)));

    async Task DeliveredAsync(int rows)
    {
        await Eventually.TrueAsync(() => destination.Rows.Distinct().Count() >= rows || destination.Rows.Count >= rows, () => $"{destination.Rows.Count} of {rows} rows");
        output.WriteLine($"{destination.Rows.Count} rows in {destination.Sent.Count} batches, {destination.Opens} opens");
    }

    void AssertOnce(params (string Device, ulong First, ulong Last)[] expected)
    {
        var wanted = expected.SelectMany(range => Enumerable.Range(0, (int)(range.Last - range.First + 1)).Select(i => $"{range.Device}/{range.First + (ulong)i}")).Order(StringComparer.Ordinal);
        Assert.Equal(wanted, destination.Rows.Select(row => $"{row.DeviceId}/{row.Sequence}").Order(StringComparer.Ordinal));
    }
}
