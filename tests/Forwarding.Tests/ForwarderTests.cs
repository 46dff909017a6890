using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>A forwarder from the broker to its destination.</summary>
public sealed class ForwarderTests(ITestOutputHelper output) : ForwarderTest(output)
{
    [Fact]
    public async Task Files_of_a_later_release_end_the_service_and_stay_as_they_are()
    {
        File.WriteAllBytes(directory.File("format"), SmallFile.Seal($"{DataFormat.Current + 1}"));

        await using var replica = await StartAsync(waitUntilReady: false);
        var refused = await Assert.ThrowsAsync<ConfigurationException>(() => replica.Execution.WaitAsync(TimeSpan.FromSeconds(60)));

        Assert.Contains("A later release wrote them", refused.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(directory.File("slots")));
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
        await Eventually.TrueAsync(
            () => replica.Metrics.DuplicateTotal == 3 * (10 + 20 + 6) - 33,
            () => $"{replica.Metrics.DuplicateTotal}"
        );
    }

    [Fact]
    public async Task Takes_in_json_beside_protobuf_and_names_what_its_sender_did_not_number_by_its_place()
    {
        await using var replica = await StartAsync();

        for (var i = 0; i < 2; i++)
        {
            await PublishAsync("telemetry/v1/esp32/thermal", """{"temperature": 21.5, "device_id": "esp32"}"""u8.ToArray(), null);
            await PublishAsync(
                "telemetry/v1/pi-3/thermal",
                """[{"boot_id":"b","sequence":1},{"boot_id":"b","sequence":2}]"""u8.ToArray(),
                "application/json"
            );
        }
        // The same reading twice in one message, and out of order.
        await PublishAsync(
            "telemetry/v1/pi-3/thermal",
            """[{"boot_id":"b","sequence":4},{"boot_id":"b","sequence":3},{"boot_id":"b","sequence":4}]"""u8.ToArray(),
            "application/json"
        );
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
            [0xFF, 0xFE, 0x00],
            "{\"temperature\":\"warm\"}"u8.ToArray(),
            "{\"sequence\":-1}"u8.ToArray(),
            "[1,2]"u8.ToArray(),
            "{"u8.ToArray(),
            Samples.Batch("pi-1", "boot", 1, 10).ToByteArray()[..^3],
            new byte[5_000_000],
            "{\"device_id\":\"a/b\"}"u8.ToArray(),
            System.Text.Encoding.UTF8.GetBytes("[" + string.Concat(Enumerable.Repeat("{},", 999_999)) + "{}]"),
        ];
        foreach (var payload in poison)
        {
            await PublishAsync("telemetry/v1/pi-1/thermal", payload, null);
            await PublishAsync("pi-1", 1, 10);
        }

        await DeliveredAsync(10);
        await Eventually.TrueAsync(() => replica.Figure("thermal.forwarder.dead_letters") == poison.Length);

        AssertOnce(("pi-1", 1, 10));
        var letters = DeadLetters.ReadAll(Path.Combine(directory.Path, "dead-letters")).ToList();
        Assert.Equal(poison.Length, letters.Count);
        Assert.All(letters, letter => Assert.NotEmpty(letter.Reason));
        Assert.Equal(
            poison.Select(Convert.ToHexString).Order(),
            letters.Select(letter => Convert.ToHexString(letter.Payload.Span)).Order()
        );
    }

    [Fact]
    public async Task Numbers_that_go_over_the_end_spoil_nothing()
    {
        await using (var first = await StartAsync())
        {
            for (var i = 0; i < 2; i++)
                await PublishAsync(
                    "telemetry/v1/pi-3/thermal",
                    """[{"boot_id":"b","sequence":18446744073709551615},{"boot_id":"b","sequence":0},{"boot_id":"b","sequence":1}]"""u8.ToArray(),
                    "application/json"
                );
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

        Assert.Contains(
            replica.Health.Parts,
            part => part.Value?.Contains("reopened 5 times in a row without progress", StringComparison.Ordinal) == true
        );
        destination.HoldCommits = false;
        await PublishAsync("pi-1", 1, 10);
        await DeliveredAsync(20);

        await Eventually.TrueAsync(() => replica.Health.IsReady);
    }

    [Fact]
    public async Task What_is_stored_and_cannot_be_read_goes_to_the_dead_letters_and_holds_nothing_up()
    {
        var slot = Path.Combine(directory.Path, "slots", "slot-0", "journal");
        using (
            var journal = DurableJournal.Open(
                new JournalOptions { Directory = slot, FreeSpaceReserveBytes = 0 },
                TimeProvider.System,
                NullLogger.Instance
            )
        )
        {
            // A later version's record, and one of ours whose payload is not what it says.
            await journal.AppendAsync(new JournalRecord(new byte[] { 99, 1, 2, 3 }, 3), CancellationToken.None);
            await journal.AppendAsync(
                new JournalRecord(new byte[] { 0xFF, 0xFF, 0xFF }, 2)
                {
                    Prefix = StoredPayload.Header(false, ReadingKind.Thermal, "pi-9", TimeProvider.System.GetUtcNow()),
                },
                CancellationToken.None
            );
        }
        await using var replica = await StartAsync();

        await PublishAsync("pi-1", 1, 10);
        await DeliveredAsync(10);

        AssertOnce(("pi-1", 1, 10));
        var letters = DeadLetters.ReadAll(Path.Combine(directory.Path, "dead-letters")).ToList();
        Assert.Equal(["", "telemetry/v1/pi-9/thermal"], letters.Select(letter => letter.Topic));
        Assert.Equal(
            [
                [99, 1, 2, 3],
                [0xFF, 0xFF, 0xFF],
            ],
            letters.Select(letter => letter.Payload.ToArray())
        );
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
    public async Task Waits_with_a_reason_when_its_journal_is_full_and_goes_on_when_there_is_room()
    {
        destination.HoldCommits = true;
        var options = Replica.Options(directory.Path, broker.Port);
        options.Journal.MaxBytes = 64 * 1024;
        options.Journal.SegmentBytes = 8 * 1024;
        await using var replica = await Replica.StartAsync(options, destination.CreateSink);
        var sending = PublishManyAsync("pi-1", 400, 10);

        await Eventually.TrueAsync(
            () => replica.Health.Parts.Any(part => part.Key == "journal slot-0" && part.Value is not null),
            () =>
                string.Join("; ", replica.Health.Parts) + $" received {replica.Metrics.ReceivedTotal} stored {replica.Metrics.StoredTotal}"
        );
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

            Assert.InRange(
                TimeProvider.System.GetElapsedTime(published),
                options.Journal.Linger - TimeSpan.FromMilliseconds(10),
                TimeSpan.FromSeconds(30)
            );
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
}
