using System.Buffers;
using System.Diagnostics.Metrics;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using ThermalStreaming.Mappings;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>What becomes of messages on the topics of mappings: rows, dead letters that a replay can take in, and what is only
/// counted.</summary>
// Memory is measured on the whole process.
[Collection(nameof(Alone))]
public sealed class MappedIntakeTests : IDisposable
{
    const string TwoSensors =
        """{"Time":"2026-11-20T10:13:48","BME280":{"Temperature":70.7,"Humidity":40},"SCD40":{"CarbonDioxide":"bad","Temperature":20},"TempUnit":"F"}""";

    readonly TempDirectory directory = new();
    readonly Meter meter = new("mapped-intake-tests");
    readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 11, 20, 10, 0, 0, TimeSpan.Zero));
    readonly DeadLetters letters;
    readonly ForwarderMetrics metrics;

    public MappedIntakeTests()
    {
        letters = new DeadLetters(directory.File("dead-letters"), 1 << 30, clock, NullLogger.Instance);
        metrics = new ForwarderMetrics(meter, clock);
    }

    public void Dispose()
    {
        directory.Dispose();
        meter.Dispose();
    }

    Intake Intake(params string[] names)
    {
        var options = Replica.Options(directory.Path, 1, mappings: Mappings(names));
        options.Limits = new RowLimits([new("TEMPERATURE", "DECIMAL(10, 4)", ColumnType.Number, 6, 4)], isOwnTable: false);
        return new Intake(
            "slot-0",
            Replica.Services(options, letters, metrics, clock, new SenderNotes(meter, new FakeLogger<SenderNotes>()), NullLogger.Instance)
        );
    }

    internal static MappingSet Mappings(params string[] names)
    {
        var problems = new List<string>();
        var set = MappingFiles.InUse(string.Join(',', names), null, problems);
        Assert.Empty(problems);
        return set;
    }

    static MqttMessage Message(string topic, string payload, bool retain = false) =>
        new()
        {
            Topic = topic,
            Payload = Encoding.UTF8.GetBytes(payload),
            Retain = retain,
        };

    List<DeadLetter> Letters()
    {
        letters.Flush();
        return [.. DeadLetters.ReadAll(letters.Directory)];
    }

    static JsonNode Row(Arrival arrival, int index = 0) => Row((byte[])[.. arrival.Header.Span, .. arrival.Body.Span], index);

    static JsonNode Row(byte[] record, int index = 0)
    {
        var row = new ArrayBufferWriter<byte>();
        StoredPayload.Decode(record, "journal-e", 7).WriteRow(index, row, new RowStamp(DateTimeOffset.UnixEpoch, "channel"), 7);
        return JsonNode.Parse(row.WrittenSpan)!;
    }

    [Fact]
    public void A_message_becomes_a_row_of_the_topic_s_device_at_its_arrival()
    {
        var arrival = Intake("tasmota")
            .Take(Message("tele/garden/SENSOR", TwoSensors.Replace("\"bad\"", "655", StringComparison.Ordinal)))!;

        Assert.Equal(2, arrival.Count);
        var row = Row(arrival);
        Assert.Equal(
            ("garden", 21.5, 40, "2026-11-20T10:00:00.000000+00:00", "journal-e", 7UL),
            (
                (string)row["device_id"]!,
                (double)row["temperature"]!,
                (int)row["humidity"]!,
                (string)row["datetimestamp"]!,
                (string)row["boot_id"]!,
                (ulong)row["sequence"]!
            )
        );
        Assert.Null(row["co2"]);
        Assert.Equal("BME280", (string)row["sensors"]!);
        Assert.Equal((655, "SCD40"), ((int)Row(arrival, 1)["co2"]!, (string)Row(arrival, 1)["sensors"]!));
        Assert.Empty(Letters());
    }

    [Fact]
    public void A_value_a_message_is_one_field_and_the_others_are_null()
    {
        var intake = Intake("statestream");
        var co2 = Row(intake.Take(Message("homeassistant_state/sensor/living_co2/state", "655"))!);
        var temperature = Row(intake.Take(Message("homeassistant_state/sensor/living_temperature/state", "21.5"))!);

        Assert.Equal(("statestream:living", 655), ((string)co2["device_id"]!, (int)co2["co2"]!));
        Assert.Null(co2["temperature"]);
        Assert.Equal(("statestream:living", 21.5), ((string)temperature["device_id"]!, (double)temperature["temperature"]!));
        Assert.Null(temperature["co2"]);
    }

    [Fact]
    public void What_is_no_reading_is_counted_and_is_no_letter()
    {
        var intake = Intake("statestream", "zigbee2mqtt");

        Assert.Null(intake.Take(Message("homeassistant_state/sensor/living_co2/state", "unavailable")));
        Assert.Null(intake.Take(Message("zigbee2mqtt/kitchen/availability", """{"state":"online"}""")));
        Assert.Null(intake.Take(Message("zigbee2mqtt/kitchen", """{"temperature":1}""", retain: true)));
        Assert.Equal(0, metrics.UnmappedTotal);
        Assert.Null(intake.Take(Message("homeassistant_state/sensor/sun\u0007next/state", "2026")));

        Assert.Equal((1, "homeassistant_state/sensor/sun·next/state"), (metrics.UnmappedTotal, TopicText.Of(metrics.LastUnmapped!)));
        Assert.Empty(Letters());
        Assert.False(intake.HasLetters);
    }

    [Fact]
    public void A_bad_reading_is_a_letter_of_our_own_format_and_its_neighbour_is_stored()
    {
        var arrival = Intake("tasmota").Take(Message("tele/garden/SENSOR", TwoSensors));

        Assert.Equal(1, arrival!.Count);
        var letter = Assert.Single(Letters());
        Assert.Equal(("telemetry/v1/garden/thermal", 1), (letter.Topic, letter.Readings));
        Assert.Matches(
            """^tasmota\.yaml:\d+: fields\.co2: CarbonDioxide is the text "bad", which is not a number \(of a message on tele/garden/SENSOR\)$""",
            letter.Reason
        );
        Assert.Equal("bad", (string)JsonNode.Parse(letter.Payload.Span)!["co2"]!);

        // Taken in again it is refused again, and its neighbour is not there a second time.
        var still = new List<DeadLetter>();
        Assert.Null(Intake("tasmota").TakeAgain(letter, still));
        Assert.Single(still);
    }

    [Fact]
    [Trait("Category", "Security")]
    public void Long_topics_of_a_sender_are_not_kept_in_memory()
    {
        var intake = Intake("shelly");
        var before = GC.GetTotalMemory(forceFullCollection: true);

        for (var i = 0; i < 500; i++)
            Assert.Null(intake.Take(Message($"garden/status/temperature:{i}{new string('x', 60_000)}", "{}")));

        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 20_000_000);
        Assert.Empty(Letters());
        GC.KeepAlive(intake);
    }

    [Fact]
    public void Many_bad_readings_of_a_message_share_a_letter_and_the_good_one_is_stored()
    {
        var sensors = string.Join(
            ',',
            Enumerable
                .Range(0, 1000)
                .Select(i =>
                    $$"""
                        "S{{i}}":{"Temperature":"bad"}
                        """
                )
        );
        var arrival = Intake("tasmota").Take(Message("tele/garden/SENSOR", $$"""{ {{sensors}},"BME280":{"Temperature":20} }"""));

        Assert.Equal(1, arrival!.Count);
        var all = Letters();
        Assert.Equal(21, all.Count);
        var shared = Assert.Single(all, letter => letter.Readings > 1);
        Assert.Equal(980, shared.Readings);
        Assert.Equal(980, Encoding.UTF8.GetString(shared.Payload.Span).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.StartsWith(
            "980 readings of a message on tele/garden/SENSOR; the first: tasmota.yaml:",
            shared.Reason,
            StringComparison.Ordinal
        );
        // Taken in again, none is lost.
        var still = new List<DeadLetter>();
        Assert.Null(Intake("tasmota").TakeAgain(shared, still));
        Assert.Equal(980, still.Sum(letter => letter.Readings));
    }

    [Fact]
    public void A_message_of_more_readings_than_are_taken_is_one_letter()
    {
        var sensors = string.Join(',', Enumerable.Range(0, Payload.MaxReadings + 1).Select(i => $"\"S{i}\":{{\"Temperature\":1}}"));

        Assert.Null(Intake("tasmota").Take(Message("tele/garden/SENSOR", "{" + sensors + "}")));

        Assert.Contains("makes more than 50000 readings of the message", Assert.Single(Letters()).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_value_that_no_column_holds_is_a_letter_with_the_message_as_it_came()
    {
        const string payload = """{"BME280":{"Temperature":1234567}}""";
        Assert.Null(Intake("tasmota").Take(Message("tele/garden/SENSOR", payload)));

        var letter = Assert.Single(Letters());
        Assert.Equal(("tele/garden/SENSOR", payload), (letter.Topic, Encoding.UTF8.GetString(letter.Payload.Span)));
        Assert.Contains("does not fit into column TEMPERATURE", letter.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_message_that_is_not_JSON_is_a_letter_which_a_corrected_mapping_takes_in()
    {
        Assert.Null(Intake("tasmota").Take(Message("tele/garden/SENSOR", "21.5")));
        Assert.Null(Intake("tasmota").Take(Message("tele/garden/SENSOR", """{"BME280":{"Temperature":"warm"}}""")));
        // By a subscription of a mapping that was in use before.
        Assert.Null(Intake("tasmota").Take(Message("homeassistant_state/sensor/living_co2/state", "655")));

        var all = Letters().OrderBy(letter => letter.Topic, StringComparer.Ordinal).ToList();
        Assert.Equal(
            ["homeassistant_state/sensor/living_co2/state", "tele/garden/SENSOR", "tele/garden/SENSOR"],
            all.Select(letter => letter.Topic)
        );
        Assert.StartsWith("tasmota.yaml:", all[1].Reason, StringComparison.Ordinal);
        Assert.StartsWith("no mapping takes the topic; ", all[0].Reason, StringComparison.Ordinal);

        var still = new List<DeadLetter>();
        Assert.Null(Intake("tasmota").TakeAgain(all[0], still));
        Assert.Equal(all[0].Topic, Assert.Single(still).Topic);
        var taken = Intake("statestream").TakeAgain(all[0] with { At = clock.GetUtcNow() }, [])!;
        var row = Row(taken);
        Assert.Equal(("statestream:living", 655), ((string)row["device_id"]!, (int)row["co2"]!));
        Assert.Equal("2026-11-20T10:00:00.000000+00:00", (string)row["datetimestamp"]!);
    }

    [Fact]
    public void Letters_take_the_share_of_their_sender_whatever_topics_it_uses()
    {
        var intake = Intake("esphome", "zigbee2mqtt");
        for (var i = 0; i < 5; i++)
        {
            intake.Take(Message($"node/sensor/{i}temperature/state", "warm"));
            intake.Take(Message($"zigbee2mqtt/lamp{i}", "warm"));
            intake.Take(Message($"zigbee2mqtt/lamp{i}", """{"temperature":1234567}"""));
        }
        intake.Take(Message("telemetry/v1/node/thermal", "warm"));

        Assert.Equal(16, Letters().Count);
        Assert.Equal(2, DeadLetters.Files(letters.Directory).Count);
    }

    [Fact]
    public void Without_mappings_everything_is_as_before()
    {
        Assert.Null(Intake().Take(Message("tele/garden/SENSOR", "{}")));

        Assert.Equal("the topic is not telemetry/v1/{device_id}/thermal or /inverter", Assert.Single(Letters()).Reason);
    }
}
