using System.Text;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>Dead letters that a person sends back are taken in once.</summary>
public sealed class ReplayTests(ITestOutputHelper output) : ForwarderTest(output)
{
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
        new DeadLetters(deadLetters, 1 << 20, TimeProvider.System, NullLogger.Instance).Add(
            "refused",
            [new BatchReading(2, Samples.Payload("pi-1", "boot", 3, 1), 0)]
        );
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
        using (
            var journal = DurableJournal.Open(
                new JournalOptions { Directory = directory.File("slots/slot-0/journal"), FreeSpaceReserveBytes = 0 },
                TimeProvider.System,
                NullLogger.Instance
            )
        )
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
            letters.AddMessage(
                "",
                "telemetry/v1/pi-1/thermal",
                null,
                Encoding.UTF8.GetBytes($$"""{"boot_id":"boot","sequence":{{number}},"note":"{{new string('x', 3000)}}"}""")
            );
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
        await using var replica = await Replica.StartAsync(
            Replica.Options(directory.Path, broker.Port),
            destination.CreateSink,
            waitUntilReady: false
        );
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
        new DeadLetters(DeadLettersDirectory, 64 << 20, TimeProvider.System, NullLogger.Instance).Add(
            "refused",
            Enumerable.Range(0, count).Select(number => new BatchReading(number, Samples.Payload("pi-1", "boot", (ulong)number + 1, 1), 0))
        );
        ReplayAll();
        var stops = 0;
        while (Directory.GetFiles(DeadLetters.ReplayDirectory(DeadLettersDirectory)).Length > 0)
        {
            await using var replica = await Replica.StartAsync(
                Replica.Options(directory.Path, broker.Port),
                destination.CreateSink,
                waitUntilReady: false
            );
            var before = destination.Rows.Count;
            await Eventually.TrueAsync(() =>
                destination.Rows.Count > before || Directory.GetFiles(DeadLetters.ReplayDirectory(DeadLettersDirectory)).Length == 0
            );
            stops++;
        }
        await using var last = await StartAsync();
        await DeliveredAsync(count);

        Output.WriteLine($"stopped {stops} times");
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
        await Eventually.TrueAsync(() => replica.Figure("thermal.forwarder.dead_letters") == poison.Length);
        // What a person's hand left, which is no letter.
        await File.AppendAllTextAsync(DeadLetters.Files(DeadLettersDirectory)[0], "{\"at\":\n");

        for (var repeat = 0; repeat < 2; repeat++)
        {
            ReplayAll();
            await ReplayedAsync(replica);
        }

        Assert.Equal(
            poison
                .Select(message => $"{message.Topic} {Convert.ToHexString(message.Payload)}")
                .Append($" {Convert.ToHexString("{\"at\":"u8)}")
                .Order(StringComparer.Ordinal),
            DeadLetters
                .ReadAll(DeadLettersDirectory)
                .Select(letter => $"{letter.Topic} {Convert.ToHexString(letter.Payload.Span)}")
                .Order(StringComparer.Ordinal)
        );
        // And the next one is kept too.
        await PublishAsync("telemetry/v1/pi-1/thermal", "{\"temperature\":\"later\"}"u8.ToArray(), null);
        await Eventually.TrueAsync(() => DeadLetters.ReadAll(DeadLettersDirectory).Count() == poison.Length + 2);
    }

    [Fact]
    public async Task Letters_about_files_that_a_person_sends_back_return_as_they_are_and_store_nothing()
    {
        var letters = new DeadLetters(DeadLettersDirectory, 1 << 20, TimeProvider.System, NullLogger.Instance);
        // Even one that could be read.
        letters.Add(
            new DeadLetter("not loaded", "telemetry/v1/pi-1/thermal", null, 3, "{\"temperature\":21}"u8.ToArray()),
            DeadLetterOrigin.Unloaded
        );
        letters.AddMessage("", "telemetry/v1/pi-1/thermal", Payload.ProtobufContentType, Samples.Batch("pi-1", "boot", 1, 3).ToByteArray());
        letters.Flush();
        ReplayAll();

        await using var replica = await StartAsync();
        await ReplayedAsync(replica);
        await DeliveredAsync(3);

        AssertOnce(("pi-1", 1, 3));
        Assert.Equal("not loaded", Assert.Single(DeadLetters.ReadAll(DeadLettersDirectory)).Reason);
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
        var file = Path.Combine(
            DeadLetters.ReplayDirectory(DeadLettersDirectory),
            Path.GetFileName(Assert.Single(DeadLetters.Files(DeadLettersDirectory)))
        );
        // In the way of the name under which it would be taken.
        Directory.CreateDirectory(file + ".slot-0");
        ReplayAll();

        await Eventually.TrueAsync(
            () => replica.Health.Parts.Any(part => part.Key == "replay slot-0" && part.Value!.StartsWith(file, StringComparison.Ordinal)),
            () => string.Join(", ", replica.Health.Parts)
        );
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
        new DeadLetters(DeadLettersDirectory, 64 << 20, TimeProvider.System, NullLogger.Instance).Add(
            "refused",
            [new BatchReading(2, Samples.Payload("pi-1", "boot", 3, 1), 0)]
        );
        ReplayAll();
        var replay = Assert.Single(Directory.GetFiles(DeadLetters.ReplayDirectory(DeadLettersDirectory)));
        File.Move(replay, replay + ".slot-1");

        await using var replica = await StartAsync();
        await Eventually.TrueAsync(() => Directory.GetDirectories(directory.File("slots")).Length == 1);

        Assert.Empty(Directory.GetFiles(DeadLetters.ReplayDirectory(DeadLettersDirectory)));
        AssertOnce(("pi-1", 3, 3));
    }
}
