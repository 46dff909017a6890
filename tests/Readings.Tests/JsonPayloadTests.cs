using System.Text;
using System.Text.Json;

namespace ThermalStreaming.Readings.Tests;

public sealed class JsonPayloadTests
{
    [Fact]
    public void Passes_values_on_byte_for_byte_and_fills_the_row_up()
    {
        var payload = Rows.Json(
            """{"temperature":21.50000,"co2":6.12e2,"host":"k\u00fcche","diskusage":"9 MB","room":"lab","ts":1795169628}"""
        );

        var row = payload.Row();

        Assert.Contains("\"temperature\":21.50000,", row, StringComparison.Ordinal);
        Assert.Contains("\"co2\":6.12e2,", row, StringComparison.Ordinal);
        Assert.Contains("\"host\":\"k\\u00fcche\",", row, StringComparison.Ordinal);
        Assert.Contains("\"room\":\"lab\",", row, StringComparison.Ordinal);
        var json = JsonDocument.Parse(row).RootElement;
        Assert.Equal(
            [.. Rows.OriginalThermalKeys, "device_id", "boot_id", "sequence", "room", "forwarded_at", "channel_id", "stream_offset"],
            json.Keys()
        );
        Assert.Equal("topic-device", json.GetProperty("device_id").GetString());
        Assert.Equal("11/20/2026 10:13:48", json.GetProperty("systemtime").GetString());
        Assert.Equal(JsonValueKind.Null, json.GetProperty("humidity").ValueKind);
        Assert.Equal(4711, json.GetProperty("stream_offset").GetInt64());
    }

    [Fact]
    public void Reads_back_a_row_of_its_own_unchanged()
    {
        var row = Rows.Decode(Rows.Batch(Rows.Full(3))).Row();

        var again = Payload.Decode(Encoding.UTF8.GetBytes(row), isJson: true, "pi-1", ReadingKind.Thermal, Rows.ReceivedAt);

        Assert.Equal(row, again.Row());
        Assert.Equal(new ReadingIdentity("pi-1", "0195b1a20c3d7e4f8a5b6c7d8e9f0a1b", ReadingKind.Thermal, 3), again.Identity(0));
    }

    [Theory]
    [InlineData("""{"temperature":1}""", 1)]
    [InlineData("""[{"temperature":1},{"temperature":2}]""", 2)]
    [InlineData("{\"temperature\":1}\n{\"temperature\":2}\n{\"temperature\":3}\n", 3)]
    [InlineData("{\"temperature\":1}{\"temperature\":2}", 2)]
    [InlineData("""[{"temperature":1}] [{"temperature":2}]""", 2)]
    [InlineData("{}", 1)]
    public void Reads_one_object_an_array_and_lines(string json, int count)
    {
        var payload = Rows.Json(json);

        Assert.Equal(count, payload.Count);
        var temperatures = Enumerable.Range(0, count).Select(i => payload.RowJson(i).GetProperty("temperature").ToString());
        Assert.Equal(json == "{}" ? [""] : Enumerable.Range(1, count).Select(number => $"{number}"), temperatures);
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("[]", "no reading")]
    [InlineData("   ", "white space only")]
    [InlineData("{", "not JSON")]
    [InlineData("{\"temperature\":}", "not JSON")]
    [InlineData("{\"temperature\":01}", "not JSON")]
    [InlineData("{'temperature':1}", "not JSON")]
    [InlineData("{} garbage", "not JSON")]
    [InlineData("[1]", "number")]
    [InlineData("[[{}]]", "array")]
    [InlineData("\"text\"", "string")]
    [InlineData("null", "null")]
    [InlineData("{\"temperature\":\"warm\"}", "temperature is the text \"warm\", which is not a number")]
    [InlineData("{\"temperature\":true}", "boolean")]
    [InlineData("{\"temperature\":[1]}", "array")]
    [InlineData("{\"temperature\":{}}", "object")]
    [InlineData("{}\n{\"host\":false}", "host is a JSON boolean (false)")]
    [InlineData("{\"device_id\":\"a/b\"}", "device_id")]
    [InlineData("{\"device_id\":\"\"}", "device_id")]
    [InlineData("{\"sequence\":1.5}", "sequence")]
    [InlineData("{\"sequence\":-1}", "sequence")]
    [InlineData("{\"observed_at\":\"yesterday\"}", "observed_at")]
    [InlineData("{\"observed_at\":1e300}", "observed_at")]
    [InlineData("{\"observed_at\":[]}", "observed_at")]
    [InlineData("{\"host\":\"\\ud800\"}", "surrogate")]
    [InlineData("{\"\\ud800 and some more\":1}", "surrogate")]
    [InlineData("{\"nested\":{\"a\":1,\"\\udc00\":2}}", "surrogate")]
    public void Says_what_is_wrong(string json, string mentioned)
    {
        Assert.Contains(mentioned, Rows.Refusal(json) ?? "taken", StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_what_is_not_UTF8()
    {
        var e = Assert.ThrowsAny<PayloadException>(() =>
            Payload.Decode(
                new byte[] { (byte)'{', (byte)'"', 0xFF, (byte)'"', (byte)':', (byte)'1', (byte)'}' },
                true,
                "d",
                ReadingKind.Thermal,
                Rows.ReceivedAt
            )
        );

        Assert.Contains("UTF-8", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Takes_as_many_readings_as_a_message_may_hold_and_not_one_more()
    {
        var most = Rows.Json(Repeat("{}", Payload.MaxReadings));
        var e = Assert.Throws<PayloadException>(() => Rows.Json(Repeat("{}", Payload.MaxReadings + 1)));

        Assert.Equal(Payload.MaxReadings, most.Count);
        Assert.Contains("50000 readings", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}", 1_000_000)]
    [InlineData("""{"sequence":1}""", 300_000)]
    [InlineData("""{"a":1}""", 500_000)]
    public void Memory_is_bounded_whatever_a_message_holds(string reading, int count)
    {
        var text = Encoding.UTF8.GetBytes(Repeat(reading, count));
        var before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Throws<PayloadException>(() => Payload.Decode(text, isJson: true, "pi-1", ReadingKind.Thermal, Rows.ReceivedAt));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 32 << 20);
    }

    [Fact]
    public void Keys_that_the_rows_do_not_have_are_bounded_too()
    {
        var text = Encoding.UTF8.GetBytes("{" + string.Join(",", Enumerable.Range(0, 600_000).Select(number => $"\"{number}\":1")) + "}");
        var before = GC.GetAllocatedBytesForCurrentThread();

        var e = Assert.Throws<PayloadException>(() => Payload.Decode(text, isJson: true, "pi-1", ReadingKind.Thermal, Rows.ReceivedAt));

        Assert.Contains("more than 200000 values under keys", e.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 48 << 20);
    }

    /// <summary>Each line is read alone if one of them is not JSON, but they are one message.</summary>
    [Theory]
    [InlineData("{}", Payload.MaxReadings, "holds more than 50000 readings")]
    [InlineData("{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5}", 40_001, "holds more than 200000 values under keys")]
    public void A_line_that_is_not_JSON_does_not_lift_the_bounds(string reading, int count, string reason)
    {
        string Lines(int readings) => $"{{bad\n{Line(readings / 2)}\n{Line(readings - readings / 2)}";
        string Line(int readings) => string.Concat(Enumerable.Repeat(reading, readings));

        var e = Assert.Throws<PayloadException>(() => Rows.Json(Lines(count)));

        Assert.Contains(reason, e.Message, StringComparison.Ordinal);
        Assert.Equal([0], Rows.Json(Lines(count - 1)).Problems.Keys);
    }

    [Fact]
    public void Null_is_the_same_as_missing()
    {
        var payload = Rows.Json(
            """{"device_id":null,"boot_id":null,"sequence":null,"observed_at":null,"datetimestamp":null,"temperature":null}"""
        );

        Assert.Equal(new ReadingIdentity("topic-device", "", ReadingKind.Thermal, 0), payload.Identity(0));
        Assert.False(payload.Identity(0).IsComplete);
        Assert.Equal(Rows.ReceivedAt, payload.ObservedAt(0));
        Assert.Equal("topic-device", payload.RowJson().GetProperty("device_id").GetString());
        Assert.Equal("2026-11-20T11:00:00.000000+00:00", payload.RowJson().GetProperty("datetimestamp").GetString());
        Assert.Equal(JsonValueKind.Null, payload.RowJson().GetProperty("temperature").ValueKind);
    }

    [Theory]
    [InlineData("""{"observed_at":"2026-11-20T10:13:48.123456Z","ts":1}""")]
    [InlineData("""{"observed_at":"2026-11-20T11:13:48.123456+01:00"}""")]
    [InlineData("""{"observed_at":1795169628.123456}""")]
    [InlineData("""{"datetimestamp":"2026-11-20T10:13:48.123456+00:00","ts":1}""")]
    [InlineData("""{"datetimestamp":"2026-11-20T10:13:48.123456Z"}""")]
    [InlineData("""{"datetimestamp":"2026-11-20T12:13:48.1234560+02:00"}""")]
    [InlineData("""{"datetimestamp":"2026-11-20T10:13:48.123456"}""")]
    [InlineData("""{"datetimestamp":"2026-11-20 10:13:48.123456"}""")]
    [InlineData("""{"datetimestamp":"2026-11-20 05:13:48.123456-05:00"}""")]
    [InlineData("""{"datetimestamp":"\u0032026-11-20T10:13:48.123456Z"}""")]
    public void Takes_the_time_from_where_it_is_most_exact(string json)
    {
        Assert.Equal(Instants.FromMicroseconds(Rows.ObservedAtUs), Rows.Json(json).ObservedAt(0));
    }

    [Fact]
    public void Does_not_take_a_stamp_from_a_sender()
    {
        var row = Rows.Json("""{"forwarded_at":"x","channel_id":"x","stream_offset":-5}""").RowJson();

        Assert.Equal(4711, row.GetProperty("stream_offset").GetInt64());
        Assert.Equal(row.Keys().Length, row.Keys().Distinct().Count());
    }

    [Fact]
    public void Of_a_key_that_comes_twice_the_last_one_counts()
    {
        var row = Rows.Json("""{"temperature":1,"room":"a","temperature":2,"room":"b"}""").RowJson();

        Assert.Equal(2, row.GetProperty("temperature").GetInt32());
        Assert.Equal("b", row.GetProperty("room").GetString());
        Assert.Equal(row.Keys().Length, row.Keys().Distinct().Count());
    }

    [Fact]
    public void A_row_is_one_line_even_when_the_sender_used_many()
    {
        var row = Rows.Json("{\n \"temperature\" :\n 1,\n \"more\": {\r\n  \"a b\": [ 1,\n \"x \\\" \\n y\" ] }\n}").Row();

        Assert.DoesNotContain('\n', row);
        Assert.DoesNotContain('\r', row);
        Assert.Contains("\"more\":{\"a b\":[1,\"x \\\" \\n y\"]}", row, StringComparison.Ordinal);
    }

    [Fact]
    public void Selects_some_readings_byte_for_byte()
    {
        var payload = Rows.Json("""[{"temperature":1.0},{"temperature":2.0},{"temperature":3.0}]""");

        Assert.Equal("{\"temperature\":1.0}\n{\"temperature\":3.0}\n", Encoding.UTF8.GetString(payload.Select([0, 2])));
    }

    static string Repeat(string reading, int count) => $"[{string.Join(",", Enumerable.Repeat(reading, count))}]";

    [Fact]
    public void Readings_of_several_boots_keep_theirs_and_those_of_another_device_are_refused()
    {
        var payload = Rows.Json(
            """[{"boot_id":"1","sequence":1},{"boot_id":"1","sequence":2},{"boot_id":"2","sequence":1},{},{"device_id":"topic-device","boot_id":"2","sequence":9},{"device_id":"b","boot_id":"2","sequence":3}]"""
        );

        Assert.Equal(
            ["1 1", "1 2", "2 1", " 0", "2 9"],
            Enumerable.Range(0, 5).Select(i => $"{payload.Identity(i).BootId} {payload.Identity(i).Sequence}")
        );
        var (index, problem) = Assert.Single(payload.Problems);
        Assert.Equal(5, index);
        Assert.Contains("device_id is \"b\", but the topic is of device \"topic-device\"", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_with_an_escape_is_not_taken_for_one_that_is_spelled_so()
    {
        var boots = Rows.Json("""[{"boot_id":"x\\\\y","sequence":1},{"boot_id":"x\\y","sequence":1}]""");

        Assert.Equal([@"x\\y", @"x\y"], [boots.Identity(0).BootId, boots.Identity(1).BootId]);
        // A line feed, which no device id has, on a topic with a backslash and an n.
        Assert.NotEmpty(
            Payload.Decode("""{"device_id":"a\nb"}"""u8.ToArray(), isJson: true, @"a\nb", ReadingKind.Thermal, Rows.ReceivedAt).Problems
        );
    }

    [Fact]
    public void Reads_inverters_for_validation()
    {
        var payload = Rows.Json(
            """{"id":"Inverter_3","PAC":1234.5,"temperature":null,"fault_status":"Overheat","frequency":50}""",
            ReadingKind.Inverter
        );

        var reading = payload.Inverter(0);

        Assert.Equal(
            ("Inverter_3", 1234.5, 50.0, FaultStatus.Overheat),
            (reading.InverterId, reading.PacW, reading.FrequencyHz, reading.FaultStatus)
        );
        Assert.False(reading.HasTemperatureC);
        Assert.Equal(Rows.InverterKeys, payload.RowJson().Keys());
        Assert.Equal("2026-11-20T11:00:00.000000+00:00", payload.RowJson().GetProperty("observed_at").GetString());
    }
}
