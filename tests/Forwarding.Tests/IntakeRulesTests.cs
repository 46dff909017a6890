using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>Readings that break a rule are put aside or left out before they are stored.</summary>
public sealed class IntakeRulesTests : IDisposable
{
    const string Topic = "telemetry/v1/dev/thermal";
    const string Hot = """[{"temperature":21},{"temperature":99},{"temperature":"warm"},{"temperature":22,"co2":400}]""";

    readonly TempDirectory directory = new();
    readonly Meter meter = new("intake-rules-tests");
    readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 11, 20, 10, 0, 0, TimeSpan.Zero));
    readonly ConcurrentBag<string> broken = [];
    readonly DeadLetters letters;
    int dropped;

    public IntakeRulesTests() => letters = new DeadLetters(directory.File("dead-letters"), 1 << 30, clock, NullLogger.Instance);

    public void Dispose()
    {
        directory.Dispose();
        meter.Dispose();
    }

    internal static IntakeRules Rules(string thermal, bool keeps, Action<string>? count = null, Action<int>? dropped = null)
    {
        List<string> problems = [];
        var rules = RuleFile.Read(Encoding.UTF8.GetBytes($$"""{ "thermal": [{{thermal}}] }"""), "rules.json", problems);
        Assert.Empty(problems);
        return new IntakeRules(rules!, keeps, count ?? (_ => { })) { Dropped = dropped ?? (_ => { }) };
    }

    Intake Intake(bool keeps, string rules, params string[] mappings) =>
        new(
            "slot-0",
            Replica.Services(
                Replica.Options(directory.Path, 1, mappings: MappedIntakeTests.Mappings(mappings)),
                letters,
                new ForwarderMetrics(meter, clock),
                clock,
                new SenderNotes(meter, new FakeLogger<SenderNotes>()),
                NullLogger.Instance,
                Rules(rules, keeps, broken.Add, count => dropped += count)
            )
        );

    static Arrival? Take(Intake intake, string json, string topic = Topic) =>
        intake.Take(new MqttMessage { Topic = topic, Payload = Encoding.UTF8.GetBytes(json) });

    List<DeadLetter> Letters()
    {
        letters.Flush();
        return [.. DeadLetters.ReadAll(letters.Directory)];
    }

    static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

    [Fact]
    [Trait("Category", "Security")]
    public void A_text_that_breaks_a_rule_is_quoted_without_what_a_terminal_would_obey()
    {
        var intake = Intake(keeps: true, """{ "metric": "quality", "allowed": ["good"] }""");

        Take(intake, """{"temperature":21,"quality":"\u001b[2J\nall is well\u009b"}""");

        var reason = Assert.Single(Letters()).Reason;
        Assert.DoesNotContain(reason, char.IsControl);
        Assert.Contains("all is well", reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_breaks_a_rule_is_kept_or_left_out_and_its_neighbours_are_stored(bool keeps)
    {
        var intake = Intake(
            keeps,
            """{ "metric": "temperature", "maximum": 85 }, { "metric": "co2", "required": true, "effect": "count" }"""
        );

        var arrival = Take(intake, Hot);

        Assert.Equal("{\"temperature\":21}\n{\"temperature\":22,\"co2\":400}\n", Text(arrival!.Body));
        Assert.Equal((2, 2), (arrival.Count, arrival.Fingerprints.Length));
        Assert.Equal(["co2", "co2", "temperature"], broken.Order(StringComparer.Ordinal));
        Assert.Equal(keeps ? 0 : 1, dropped);
        var all = Letters();
        Assert.Equal(keeps ? 2 : 1, all.Count);
        Assert.Contains("temperature is the text \"warm\"", all[^1].Reason, StringComparison.Ordinal);
        if (!keeps)
            return;
        Assert.Equal("reading 2 of 4: breaks a validation rule (rules.json): temperature: 99 is more than 85", all[0].Reason);
        Assert.Equal((1, "{\"temperature\":99}\n"), (all[0].Readings, Text(all[0].Payload)));
    }

    [Fact]
    public void A_message_of_which_everything_is_left_out_is_no_letter_and_not_stored()
    {
        var intake = Intake(keeps: false, """{ "metric": "temperature", "maximum": 85 }""", "tasmota");

        Assert.Null(Take(intake, """{"temperature":99}"""));
        Assert.Null(Take(intake, """{"BME280":{"Temperature":99}}""", "tele/garden/SENSOR"));

        Assert.Empty(Letters());
        Assert.Equal((false, 0, 2), (intake.HasLetters, intake.DeadMessages, broken.Count));
        Assert.Equal(2, dropped);
    }

    [Fact]
    public void What_a_mapping_makes_is_judged_too()
    {
        const string payload = """{"BME280":{"Temperature":99},"SCD40":{"Temperature":21}}""";
        var intake = Intake(keeps: true, """{ "metric": "temperature", "maximum": 85 }""", "tasmota");

        Assert.Equal(1, Take(intake, payload, "tele/garden/SENSOR")!.Count);
        Assert.Null(Take(intake, """{"BME280":{"Temperature":99}}""", "tele/garden/SENSOR"));

        var all = Letters();
        Assert.Equal(["telemetry/v1/garden/thermal", "tele/garden/SENSOR"], all.Select(letter => letter.Topic));
        Assert.Equal(
            "reading 1 of 2: breaks a validation rule (rules.json): temperature: 99 is more than 85 (of a message on tele/garden/SENSOR)",
            all[0].Reason
        );
        var loosened = Intake(keeps: true, """{ "metric": "temperature", "maximum": 100 }""", "tasmota");
        Assert.All(all, letter => Assert.Equal(1, loosened.TakeAgain(letter, [])!.Count));
    }

    /// <summary>The dead letter is the only copy.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_replay_leaves_nothing_out(bool keeps)
    {
        var letter = new DeadLetter("", Topic, null, 1, """{"temperature":99}"""u8.ToArray()) { ReceivedAt = clock.GetUtcNow() };
        var still = new List<DeadLetter>();

        Assert.Null(Intake(keeps, """{ "metric": "temperature", "maximum": 85 }""").TakeAgain(letter, still));

        Assert.Equal("breaks a validation rule (rules.json): temperature: 99 is more than 85", Assert.Single(still).Reason);
        Assert.Equal(1, Intake(keeps, """{ "metric": "temperature", "maximum": 100 }""").TakeAgain(letter, [])!.Count);
    }
}
