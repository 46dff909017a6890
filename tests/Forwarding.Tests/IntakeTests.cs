using System.Diagnostics.Metrics;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>What becomes of a message: what is stored, what is put aside and why, who is noted.</summary>
public sealed class IntakeTests : IDisposable
{
    const string Topic = "telemetry/v1/dev/thermal";

    readonly TempDirectory directory = new();
    readonly Meter meter = new("intake-tests");
    readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 11, 20, 10, 0, 0, TimeSpan.Zero));
    readonly FakeLogCollector log = new();
    readonly DeadLetters letters;
    readonly SenderNotes notes;
    readonly Intake intake;

    public IntakeTests()
    {
        letters = new DeadLetters(directory.File("dead-letters"), 1 << 30, clock, NullLogger.Instance);
        notes = new SenderNotes(meter, new FakeLogger<SenderNotes>(log), maxNotes: 3);
        var options = Replica.Options(directory.Path, 1);
        options.Limits = new RowLimits([new("TEMPERATURE", "DECIMAL(10, 4)", ColumnType.Number, 6, 4)], isOwnTable: false);
        intake = new Intake(
            "slot-0",
            Replica.Services(options, letters, new ForwarderMetrics(meter, clock), clock, notes, new FakeLogger(log))
        );
    }

    public void Dispose()
    {
        directory.Dispose();
        meter.Dispose();
    }

    Arrival? Take(string json, string topic = Topic) => Take(Encoding.UTF8.GetBytes(json), topic);

    Arrival? Take(byte[] payload, string topic = Topic) => intake.Take(new MqttMessage { Topic = topic, Payload = payload });

    List<DeadLetter> Letters()
    {
        letters.Flush();
        return [.. DeadLetters.ReadAll(letters.Directory)];
    }

    static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

    [Fact]
    public void A_bad_reading_is_a_letter_and_its_neighbours_are_stored()
    {
        var arrival = Take("""[{"temperature":1.5},{"temperature":"unavailable"},{"temperature":1000000},{"temperature":3}]""");

        Assert.Equal((2, "{\"temperature\":1.5}\n{\"temperature\":3}\n"), (arrival!.Count, Text(arrival.Body)));
        Assert.Equal(
            [("{\"temperature\":\"unavailable\"}\n", 1), ("{\"temperature\":1000000}\n", 1)],
            Letters().Select(letter => (Text(letter.Payload), letter.Readings))
        );
        Assert.Equal(
            "reading 2 of 4: temperature is the text \"unavailable\", which is not a number; send a number, or null for a value that "
                + "the sensor did not deliver",
            Letters()[0].Reason
        );
        Assert.Equal(
            "reading 3 of 4: temperature \"1000000\" does not fit into column TEMPERATURE DECIMAL(10, 4), which holds at most 6 digits "
                + "before the point",
            Letters()[1].Reason
        );
        Assert.True(intake.HasLetters);
        Assert.Equal(0, intake.DeadMessages);
        Assert.Contains(log.Messages(), line => line.Contains("2 of 4 readings", StringComparison.Ordinal));
    }

    [Fact]
    public void A_nested_key_that_is_no_text_is_a_letter_and_stops_nothing()
    {
        Assert.Null(Take("""{"nested":{"a":1,"\udc00":2}}"""));

        Assert.Equal("""{"nested":{"a":1,"\udc00":2}}""", Text(Letters().Single().Payload).TrimEnd());
        Assert.NotNull(Take("""{"temperature":1.5}"""));
    }

    [Fact]
    public void A_message_of_which_nothing_can_be_taken_is_one_letter_with_its_own_bytes()
    {
        Assert.Null(Take("""{"device_id":"other","temperature":1}"""));
        var batch = Samples.Batch("other", "boot", 1, 50).ToByteArray();
        Assert.Null(Take(batch));

        Assert.Equal(2, intake.DeadMessages);
        Assert.Equal(["""{"device_id":"other","temperature":1}""", Text(batch)], Letters().Select(letter => Text(letter.Payload)));
        Assert.Contains("device_id is \"other\", but the topic is of device \"dev\"", Letters()[1].Reason, StringComparison.Ordinal);
        Assert.Equal(50, Letters()[1].Readings);
    }

    [Fact]
    public void Many_bad_readings_share_a_letter()
    {
        var arrival = Take(
            $"[{string.Join(',', Enumerable.Range(0, 500).Select(number => number % 2 == 0 ? $"{{\"temperature\":{number}}}" : $"{{\"temperature\":\"bad {number}\"}}"))}]"
        );

        Assert.Equal(250, arrival!.Count);
        Assert.Equal((21, 250), (Letters().Count, Letters().Sum(letter => letter.Readings)));
        Assert.StartsWith(
            "230 readings of 500; the first: temperature is the text \"bad 41\"",
            Letters()[^1].Reason,
            StringComparison.Ordinal
        );
        Assert.Equal(230, Text(Letters()[^1].Payload).Count(letter => letter == '\n'));
    }

    [Fact]
    public void A_retained_message_that_is_deleted_is_no_letter()
    {
        Assert.Null(Take([]));

        Assert.Empty(Letters());
        Assert.False(intake.HasLetters);
        Assert.Equal(0, intake.DeadMessages);
    }

    [Theory]
    [InlineData("telemetry/v1/$dev/thermal", "begins with $")]
    [InlineData("telemetry/v1//thermal", "device id is empty")]
    [InlineData("telemetry/v1/dev/Thermal", "the topic is not telemetry/v1/{device_id}/thermal or /inverter")]
    [InlineData("telemetry/v1/a/b/thermal", "the topic is not telemetry/v1/{device_id}/thermal or /inverter")]
    [InlineData("telemetry/v1/de+v/thermal", "a character that cannot be in one")]
    public void The_topic_is_explained(string topic, string reason)
    {
        Assert.Null(Take("{}", topic));

        Assert.Contains(reason, Assert.Single(Letters()).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_device_id_that_is_too_long_is_explained()
    {
        Assert.Null(Take("{}", $"telemetry/v1/{new string('x', 101)}/thermal"));

        Assert.Contains("has 101 characters; at most 100", Assert.Single(Letters()).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_letter_keeps_the_time_of_its_arrival_and_its_identity_when_it_is_taken_again()
    {
        var arrived = clock.GetUtcNow();
        var payload = StoredPayload.Decode(
            (byte[])[.. Take("""[{"temperature":1},{"temperature":2}]""")!.Header.Span, .. """[{"temperature":1},{"temperature":2}]"""u8],
            AssignedIdentity.BootIdOf("ab"),
            40
        );
        letters.Add("refused", [new BatchReading(41, payload, 1)]);
        Take("{\"temperature\":\"warm\"}");
        clock.Advance(TimeSpan.FromDays(3));

        var still = new List<DeadLetter>();
        // Each origin has a file of its own, and these two were begun in the same millisecond.
        var again = Letters()
            .OrderByDescending(letter => letter.Reason == "refused")
            .Select(letter => intake.TakeAgain(letter, still))
            .ToList();
        var stored = StoredPayload.Decode(
            (byte[])[.. again[0]!.Header.Span, .. again[0]!.Body.Span],
            AssignedIdentity.BootIdOf("cd"),
            9000
        );

        Assert.Equal(
            (new ReadingIdentity("dev", "journal-ab", ReadingKind.Thermal, 41), arrived),
            (stored.Identity(0), stored.ObservedAt(0))
        );
        Assert.Null(again[1]);
        Assert.Equal((arrived, "{\"temperature\":\"warm\"}"), (still[0].ReceivedAt!.Value, Text(still[0].Payload)));
        // A second refusal of what was taken again does not change either.
        letters.Add("refused", [new BatchReading(9000, stored, 0)]);
        var second = Letters().Last(letter => letter.Reason == "refused");
        Assert.Equal((arrived, new AssignedIdentity("journal-ab", 41)), (second.ReceivedAt!.Value, second.Assigned));
    }

    [Fact]
    public void A_letter_with_an_identity_is_taken_as_a_whole_or_not_at_all()
    {
        var still = new List<DeadLetter>();
        var letter = new DeadLetter("", Topic, null, 0, """[{"temperature":1},{"temperature":true}]"""u8.ToArray())
        {
            Assigned = new("journal-ab", 5),
            ReceivedAt = clock.GetUtcNow(),
        };

        Assert.Null(intake.TakeAgain(letter, still));

        Assert.Equal((letter.Assigned, Text(letter.Payload)), (Assert.Single(still).Assigned, Text(still[0].Payload)));
    }

    [Fact]
    public void Senders_with_a_clock_that_was_never_set_or_unknown_keys_are_told_once_each_and_bounded()
    {
        for (var round = 0; round < 3; round++)
        {
            Assert.NotNull(Take("""{"temp":21.46,"hum":40}"""));
            Assert.NotNull(Take("""{"observed_at":"1970-01-01T00:00:12Z","temperature":1}""", "telemetry/v1/b/thermal"));
            Assert.NotNull(Take(Samples.Batch("c", "boot", 1, 3).ToByteArray(), "telemetry/v1/c/thermal"));
        }
        var batch = Samples.Batch("d", "boot", 1, 1);
        batch.Thermal[0].ObservedAtUs = 5_000_000;
        for (var number = 0; number < 5; number++)
        {
            batch.DeviceId = $"d{number}";
            Assert.NotNull(Take(batch.ToByteArray(), $"telemetry/v1/d{number}/thermal"));
        }

        Assert.Empty(Letters());
        var messages = log.Messages();
        Assert.Equal(3, messages.Count);
        Assert.Contains(
            "Device dev: it sends keys that no column has: temp, hum; probably meant: temp → temperature, hum → humidity",
            messages[0],
            StringComparison.Ordinal
        );
        Assert.Contains(
            "Device b: its clock was never set: it dates a reading 1970-01-01T00:00:12Z",
            messages[1],
            StringComparison.Ordinal
        );
        Assert.Contains("Device d0: its clock was never set", messages[2], StringComparison.Ordinal);
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            notes.Write(json);
            json.WriteEndObject();
        }
        var status = JsonDocument.Parse(buffer.ToArray()).RootElement;
        Assert.Equal(
            ["b", "d0", "dev"],
            status.GetProperty("odd_senders").EnumerateArray().Select(note => note.GetProperty("device").GetString())
        );
        Assert.Equal(4, status.GetProperty("odd_senders_more").GetInt32());
    }
}
