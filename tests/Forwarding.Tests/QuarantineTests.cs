using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>Readings that a rule has put aside, through restarts, repeats and replays: each is delivered once.</summary>
public sealed class QuarantineTests(ITestOutputHelper output) : ForwarderTest(output)
{
    /// <summary>Numbers 1 to 10 are 21 to 29 and 20 °C: the strict rule is broken by 6, 7, 8 and 9.</summary>
    const string Strict = """{ "metric": "temperature", "maximum": 25 }""",
        Loose = """{ "metric": "temperature", "maximum": 28 }""";

    [Theory]
    [InlineData(false)]
    // The process dies after the letters and before the PUBACK; or an agent publishes its replay window again.
    [InlineData(true)]
    public async Task Quarantine_restart_loosened_rule_and_replay_deliver_each_reading_once(bool isRepeated)
    {
        await using (var strict = await StartAsync(Strict))
        {
            await PublishAsync("pi-1", 1, 10);
            await DeliveredAsync(6);
            await LettersAsync(4);
        }
        // The destination has committed: nothing is sent again, and nothing becomes a letter again.
        await using (var again = await StartAsync(Strict))
        {
            if (isRepeated)
            {
                await PublishAsync("pi-1", 1, 10);
                await LettersAsync(8);
            }
            // Unchanged rules: they come back, as many as they were, and stay where they are.
            ReplayAll();
            await ReplayedAsync(again);
            await LettersAsync(isRepeated ? 8 : 4);
            Assert.Equal(6, destination.Rows.Count);
        }
        await using var loose = await StartAsync(Loose);
        ReplayAll();
        await ReplayedAsync(loose);
        await DeliveredAsync(9);
        // The sender says it all again; what was replayed is known as stored.
        await PublishAsync("pi-1", 1, 10);
        await PublishAsync("pi-2", 1, 1);
        await DeliveredAsync(10);

        AssertOnce(("pi-1", 1, 8), ("pi-1", 10, 10), ("pi-2", 1, 1));
        Assert.All(Letters(), letter => Assert.Contains("temperature: 29 is more than 28", letter.Reason, StringComparison.Ordinal));
    }

    /// <summary>A letter on disk whose message was not acknowledged: the broker sends it again to rules that are loosened by then.</summary>
    [Fact]
    public async Task A_reading_that_is_a_letter_and_comes_again_is_delivered_once()
    {
        var letters = new DeadLetters(DeadLettersDirectory, 1 << 20, TimeProvider.System, NullLogger.Instance);
        for (var i = 0; i < 2; i++)
            letters.Add(
                new DeadLetter(
                    "breaks a validation rule",
                    "telemetry/v1/pi-1/thermal",
                    Payload.ProtobufContentType,
                    3,
                    Samples.Batch("pi-1", "boot", 6, 3).ToByteArray()
                ),
                DeadLetterOrigin.Unread
            );
        letters.Flush();
        await using var replica = await StartAsync(Loose);
        await PublishAsync("pi-1", 7, 1);
        await DeliveredAsync(1);

        ReplayAll();
        await ReplayedAsync(replica);
        await PublishAsync("pi-1", 6, 3);
        await PublishAsync("pi-2", 1, 1);
        await DeliveredAsync(4);

        AssertOnce(("pi-1", 6, 8), ("pi-2", 1, 1));
        Assert.Empty(Letters());
    }

    [Fact]
    public async Task A_claim_of_a_replay_whose_note_cannot_be_written_holds_nothing_up()
    {
        var letters = new DeadLetters(DeadLettersDirectory, 1 << 20, TimeProvider.System, NullLogger.Instance);
        letters.AddMessage("", "telemetry/v1/pi-1/thermal", Payload.ProtobufContentType, Samples.Batch("pi-1", "boot", 1, 3).ToByteArray());
        letters.Flush();
        ReplayAll();
        var note = Assert.Single(Directory.GetFiles(DeadLetters.ReplayDirectory(DeadLettersDirectory))) + ".slot-0.taken";
        Directory.CreateDirectory(note + ".tmp");
        await using var replica = await StartAsync(waitUntilReady: false);
        await Eventually.TrueAsync(() => replica.Health.Parts.Any(part => part is { Key: "replay slot-0", Value: not null }));

        // The very readings that the replay had claimed.
        await PublishAsync("pi-1", 1, 3);
        await DeliveredAsync(3);
        Directory.Delete(note + ".tmp");
        await ReplayedAsync(replica);
        await PublishAsync("pi-2", 1, 1);
        await DeliveredAsync(4);

        AssertOnce(("pi-1", 1, 3), ("pi-2", 1, 1));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task When_every_reading_breaks_a_rule_nothing_accumulates(bool keeps)
    {
        var counted = 0;
        var rules = IntakeRulesTests.Rules(
            """{ "metric": "temperature", "maximum": 10 }""",
            keeps,
            _ => Interlocked.Increment(ref counted)
        );
        var options = Replica.Options(directory.Path, broker.Port);
        // Less than what comes.
        options.Journal.MaxBytes = 64 * 1024;
        options.Journal.SegmentBytes = 8 * 1024;
        for (var start = 0; start < 2; start++)
        {
            await using var replica = await Replica.StartAsync(options, destination.CreateSink, rules: rules);
            await PublishManyAsync($"pi-{start}", 200, 20);

            var expected = (start + 1) * 4000;
            await Eventually.TrueAsync(() => Volatile.Read(ref counted) == expected, () => $"{counted} of {expected}");
            Assert.Equal(0, replica.Metrics.StoredTotal);
            Assert.True(replica.Health.IsReady, string.Join(", ", replica.Health.Parts));
        }

        Assert.Empty(destination.Rows);
        // Stopping ends what is in hand.
        Assert.Equal(keeps ? 8000 : 0, Letters().Sum(letter => letter.Readings));
        Assert.True(
            Directory.GetFiles(directory.File("slots/slot-0/journal"), "*.segment").Sum(file => new FileInfo(file).Length) <= 8 * 1024
        );
    }

    Task<Replica> StartAsync(string rule) =>
        Replica.StartAsync(
            Replica.Options(directory.Path, broker.Port),
            destination.CreateSink,
            rules: IntakeRulesTests.Rules(rule, keeps: true)
        );

    List<DeadLetter> Letters() => [.. DeadLetters.ReadAll(DeadLettersDirectory)];

    Task LettersAsync(int count) => Eventually.TrueAsync(() => Letters().Count == count, () => $"{Letters().Count} letters");
}
