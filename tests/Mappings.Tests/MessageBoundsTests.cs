using System.Text;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Mappings.Tests;

/// <summary>What one message may cost: its readings are counted while they are made, and what they share is looked up once.</summary>
public sealed class MessageBoundsTests
{
    const string Hub = """
        mappings:
          - name: hub
            messages:
              - topic: hub/{device}
                time: at
                readings:
                  - each: "*"
                    fields: { temperature: { path: t, unit_path: u } }
                  - each: "*"
                    fields: { humidity: h }
        """;

    static string Message(int members, string member, string last = "") =>
        "{" + string.Join(',', Enumerable.Range(0, members).Select(i => $"\"s{i}\":{member}")) + last + "}";

    [Theory]
    [InlineData("""{"t":1}""")]
    [InlineData("""{}""")]
    [InlineData("""{"t":"warm"}""")]
    public void More_readings_than_a_message_may_have_are_refused_also_those_without_a_value(string member)
    {
        var set = Mapped.File(Hub);
        Assert.Equal(Payload.MaxReadings, Mapped.All(set, "hub/x", Message(Payload.MaxReadings / 2, member)).Count);

        var error = Assert.Throws<PayloadException>(() => Mapped.All(set, "hub/x", Message(Payload.MaxReadings / 2 + 1, member)));

        Assert.Equal("test.yaml:4: makes more than 50000 readings of the message, the maximum for one message", error.Message);
    }

    [Fact]
    public void A_message_far_beyond_the_bound_takes_no_memory_for_readings_beyond_it()
    {
        var set = Mapped.File(Hub);
        var payload = Encoding.UTF8.GetBytes(Message(400_000, """{"t":1}"""));
        var route = set.Route("hub/x", ReadingKind.Thermal);
        var before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Throws<PayloadException>(() => MessageMapper.Map(route, payload, ReadingKind.Thermal));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000_000);
    }

    /// <summary>The time stands in every reading.</summary>
    [Fact]
    public void Readings_that_are_longer_together_than_a_message_may_be_are_refused()
    {
        var set = Mapped.File(Hub);
        var payload = Encoding.UTF8.GetBytes(Message(10_000, """{"t":1}""", $",\"at\":\"{new string('9', 100_000)}\""));

        var error = Assert.Throws<PayloadException>(() =>
            MessageMapper.Map(set.Route("hub/x", ReadingKind.Thermal), payload, ReadingKind.Thermal, maxBytes: 16_000_000)
        );

        Assert.StartsWith("test.yaml:4: makes readings of more than 16000000 bytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_payload_of_nothing_but_small_values_is_refused_before_it_is_parsed()
    {
        var error = Assert.Throws<PayloadException>(() =>
            Mapped.All(Mapped.File(Hub), "hub/x", "[" + string.Concat(Enumerable.Repeat("1,", 3_000_000)) + "1]")
        );

        Assert.Equal("test.yaml:4: the payload has more than 2000000 keys and values, the maximum for one message", error.Message);
    }

    /// <summary>Time and unit stand behind all members: searched for each member, this takes minutes.</summary>
    [Fact]
    public void Time_and_unit_of_the_payload_are_looked_up_once()
    {
        var set = Mapped.File(Hub);
        var payload = Message(25_000, """{"t":32,"u":9}""", ",\"u\":\"F\",\"at\":\"2026-11-20T10:13:48Z\"");
        var elapsed = TimeProvider.System.GetTimestamp();

        var readings = Mapped.All(set, "hub/x", payload).Where(reading => reading.HasValue).Select(Mapped.Text).ToList();

        Assert.InRange(TimeProvider.System.GetElapsedTime(elapsed), TimeSpan.Zero, TimeSpan.FromSeconds(10));
        Assert.Equal(25_000, readings.Count);
        Assert.All(readings, reading => Assert.Equal("""{"observed_at":"2026-11-20T10:13:48Z","temperature":0}""", reading));
    }

    [Fact]
    public void What_became_of_each_field_is_told_only_to_a_person_who_asks()
    {
        var route = Mapped.File(Hub).Route("hub/x", ReadingKind.Thermal);
        var payload = """{"a":{"t":1}}"""u8.ToArray();

        Assert.All(MessageMapper.Map(route, payload, ReadingKind.Thermal), reading => Assert.Empty(reading.Fields));
        Assert.Equal(
            ["observed_at  the payload has no time; the time of arrival counts", "temperature 1 "],
            MessageMapper
                .Map(route, payload, ReadingKind.Thermal, explain: true)[0]
                .Fields.Select(field => $"{field.Field} {field.Value} {field.Reason}")
        );
    }
}
