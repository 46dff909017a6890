using System.Text;
using System.Text.Json;

namespace ThermalStreaming.Readings.Tests;

/// <summary>What real senders send: how each is read, or what its refusal says.</summary>
public sealed class SenderPayloadTests
{
    static string Instant(string json) => Rows.Json(json).RowJson().GetProperty("datetimestamp").GetString()!;

    [Fact]
    public void The_original_pipelines_own_row_arrives_with_its_texts_as_numbers_and_its_instant_in_UTC()
    {
        var row = Rows.Json(
                """
                {"uuid":"thrml_xyz_20230102030405","host":"thermal","hostname":"thermal","cputempf":111,"runtime":3,"endtime":"1672628645.25","te":"0.00051","cpu":9.5,
                "diskusage":"98765.4 MB","memory":11.2,"rowid":"20230102030405_1","systemtime":"01/01/2023 22:04:05","ts":1672628645,"starttime":"01/01/2023 22:04:00",
                "datetimestamp":"2023-01-02 03:04:04.987654+00:00","temperature":22.5,"humidity":41.0,"co2":800.0,"totalvocppb":"  7","equivalentco2ppm":"65535","pressure":100000.5,"temperatureicp":75.5}
                """
            )
            .RowJson();

        Assert.Equal(
            (7, 65535, 22.5),
            (
                row.GetProperty("totalvocppb").GetInt32(),
                row.GetProperty("equivalentco2ppm").GetInt32(),
                row.GetProperty("temperature").GetDouble()
            )
        );
        Assert.Equal("2023-01-02T03:04:04.987654+00:00", row.GetProperty("datetimestamp").GetString());
        // The original took the second later; datetimestamp wins, and what it said is kept.
        Assert.Equal(1672628644, row.GetProperty("ts").GetInt64());
        Assert.Equal(1672628645, row.GetProperty("as_sent").GetProperty("ts").GetInt64());
        // The machine's own local time, which is a text.
        Assert.Equal("01/01/2023 22:04:05", row.GetProperty("systemtime").GetString());
    }

    [Theory]
    [InlineData(
        """{"datetimestamp":"2026-03-04T05:06:07.5+01:00"}""",
        "2026-03-04T04:06:07.500000+00:00",
        1772597167,
        "03/04/2026 04:06:07"
    )]
    [InlineData("""{"ts":1772597167.75}""", "2026-03-04T04:06:07.750000+00:00", 1772597167, "03/04/2026 04:06:07")]
    [InlineData("""{"ts":"1772597167999"}""", "2026-03-04T04:06:07.999000+00:00", 1772597167, "03/04/2026 04:06:07")]
    [InlineData(
        """{"ts":1,"datetimestamp":"2026-03-04T13:06:07+09:00"}""",
        "2026-03-04T04:06:07.000000+00:00",
        1772597167,
        "03/04/2026 04:06:07"
    )]
    [InlineData(
        """{"ts":1,"datetimestamp":"2001-01-01T00:00:00Z","observed_at":"Wed, 04 Mar 2026 04:06:07 GMT"}""",
        "2026-03-04T04:06:07.000000+00:00",
        1772597167,
        "03/04/2026 04:06:07"
    )]
    [InlineData("""{"datetimestamp":"2026-03-04 04:06:07"}""", "2026-03-04T04:06:07.000000+00:00", 1772597167, "03/04/2026 04:06:07")]
    [InlineData(
        """{"observed_at":null,"datetimestamp":null,"ts":1772597167}""",
        "2026-03-04T04:06:07.000000+00:00",
        1772597167,
        "03/04/2026 04:06:07"
    )]
    [InlineData("""{"observed_at":"1970-01-01T00:00:00.5+01:00"}""", "1969-12-31T23:00:00.500000+00:00", -3600, "12/31/1969 23:00:00")]
    public void Every_column_of_a_row_has_the_one_instant(string json, string stamp, long second, string systemTime)
    {
        var payload = Rows.Json(json);
        var row = payload.RowJson();

        Assert.Empty(payload.Problems);
        Assert.Equal(
            (stamp, second, systemTime),
            (row.GetProperty("datetimestamp").GetString(), row.GetProperty("ts").GetInt64(), row.GetProperty("systemtime").GetString())
        );
        Assert.Equal(stamp, Written.Iso(payload.ObservedAt(0)));
        var inverter = Rows.Json(json.Replace("datetimestamp", "observed_at", StringComparison.Ordinal), ReadingKind.Inverter);
        if (json.StartsWith("{\"datetimestamp", StringComparison.Ordinal))
            Assert.Equal(stamp, inverter.RowJson().GetProperty("observed_at").GetString());
    }

    [Fact]
    public void What_a_sender_said_is_kept_where_the_row_says_something_else()
    {
        var row = Rows.Json("""{"ts":1772600000000,"datetimestamp":"2026-03-04T13:06:07+09:00","observed_at":"2026-03-04T05:06:07+0100"}""")
            .RowJson();

        Assert.Equal("2026-03-04T05:06:07+0100", row.GetProperty("observed_at").GetString());
        Assert.Equal("""{"ts":1772600000000,"datetimestamp":"2026-03-04T13:06:07+09:00"}""", row.GetProperty("as_sent").GetRawText());
        Assert.False(
            Rows.Json("""{"ts":1772597167,"datetimestamp":"2026-03-04T04:06:07.000Z"}""").RowJson().TryGetProperty("as_sent", out _)
        );
    }

    [Theory]
    [InlineData(
        """{"observed_at":"04/03/2026 10:00"}""",
        "observed_at is \"04/03/2026 10:00\", which is not a time; accepted are " + "ISO 8601"
    )]
    [InlineData("""{"datetimestamp":"4.3.2026 10:13"}""", "datetimestamp is \"4.3.2026 10:13\", which is not a time")]
    [InlineData("""{"datetimestamp":""}""", "datetimestamp is \"\", which is not a time")]
    [InlineData("""{"ts":99999999999}""", "ts is \"99999999999\", which is not a time")]
    [InlineData("""{"ts":-5,"datetimestamp":"2026-03-04T04:06:07Z"}""", "ts is \"-5\", which is not a time")]
    [InlineData("""{"observed_at":"2026-03-04T04:06:07Z","datetimestamp":"noon"}""", "datetimestamp is \"noon\"")]
    [InlineData("""{"ts":true}""", "ts is a JSON boolean (true); a time is expected, accepted are ISO 8601")]
    [InlineData("""{"datetimestamp":{"year":2026}}""", "datetimestamp is a JSON object; a time is expected")]
    [InlineData("""{"temperature":"unavailable"}""", "temperature is the text \"unavailable\", which is not a number")]
    [InlineData("""{"temperature":"21,5"}""", "the decimal sign of JSON is the point")]
    [InlineData("""{"temperature":""}""", "temperature is the text \"\", which is not a number")]
    [InlineData("""{"humidity":"0x1F"}""", "humidity is the text \"0x1F\"")]
    [InlineData("""{"humidity":"NaN"}""", "humidity is the text \"NaN\"")]
    [InlineData("""{"humidity":false}""", "humidity is a JSON boolean (false); a number is expected")]
    [InlineData("""{"boot_id":"b","sequence":"seven"}""", "sequence is the text \"seven\", which is not a number")]
    [InlineData("""{"boot_id":"b","sequence":"7.5"}""", "sequence is \"7.5\", which is not a whole number")]
    [InlineData("""{"boot_id":"b","sequence":"18446744073709551616"}""", "sequence is \"18446744073709551616\", which")]
    [InlineData("""{"boot_id":"b","sequence":184467440737095516.160}""", "sequence is \"184467440737095516.160\", which is not a whole")]
    [InlineData("""{"boot_id":"b","sequence":18446744073709551615.1}""", "sequence is \"18446744073709551615.1\", which is not a whole")]
    [InlineData("""{"boot_id":"b","sequence":1e30}""", "sequence is \"1e30\"")]
    [InlineData("""{"room":{"deep":["\ud83d"]}}""", "half of a surrogate pair")]
    [InlineData("""{"device_id":"other"}""", "device_id is \"other\", but the topic is of device \"topic-device\"")]
    [InlineData("""{"device_id":7}""", "device_id is \"7\"")]
    public void One_bad_value_refuses_that_reading_only(string bad, string reason)
    {
        Assert.Contains(reason, Rows.Refusal(bad)!, StringComparison.Ordinal);

        var array = Rows.Json($$"""[{"temperature":1},{{bad}},{"temperature":3}]""");
        var lines = Rows.Json($"{{\"temperature\":1}}\r\n{bad}\r\n{{\"temperature\":3}}\r\n");

        foreach (var payload in new[] { array, lines })
        {
            var (index, problem) = Assert.Single(payload.Problems);
            Assert.Equal((1, 3), (index, payload.Count));
            Assert.Contains(reason, problem, StringComparison.Ordinal);
            Assert.Equal(bad + "\n", Encoding.UTF8.GetString(payload.Select([1])));
            Assert.Equal("{\"temperature\":1}\n{\"temperature\":3}\n", Encoding.UTF8.GetString(payload.Select([0, 2])));
        }
    }

    [Theory]
    [InlineData("""{"temperature":NaN}""")]
    [InlineData("""{"temperature":21,5}""")]
    [InlineData("{'temperature': 21.5}")]
    [InlineData("{\"temperature\": 21.5")]
    public void Of_lines_one_that_is_not_JSON_stands_for_itself(string bad)
    {
        var payload = Rows.Json($"{{\"temperature\":1}}\n  {bad}\n\n{{\"temperature\":3}}");

        Assert.Equal(1, Assert.Single(payload.Problems).Key);
        Assert.Equal(
            (3, 1, 3),
            (
                payload.Count,
                payload.RowJson(0).GetProperty("temperature").GetInt32(),
                payload.RowJson(2).GetProperty("temperature").GetInt32()
            )
        );
        Assert.Equal($"{bad}\n{{\"temperature\":3}}\n", Encoding.UTF8.GetString(payload.Select([1, 2])));
    }

    [Fact]
    public void A_line_that_is_not_UTF8_stands_for_itself()
    {
        byte[] lines =
        [
            .. "{\"temperature\":1}\n"u8,
            .. Encoding.Latin1.GetBytes("{\"hostname\":\"Küche\"}\n"),
            .. "{\"temperature\":3}"u8,
        ];

        var payload = Payload.Decode(lines, isJson: true, "d", ReadingKind.Thermal, Rows.ReceivedAt);

        Assert.Contains("not UTF-8: byte 14 is 0xFC, 'ü' in Latin-1", Assert.Single(payload.Problems).Value, StringComparison.Ordinal);
        Assert.Equal(3, payload.RowJson(2).GetProperty("temperature").GetInt32());
    }

    [Theory]
    [InlineData("\"21.5\"", "21.5")]
    [InlineData("\"  0\"", "0")]
    [InlineData("\"+21.50 \"", "21.50")]
    [InlineData("\"-007\"", "-7")]
    [InlineData("\".5\"", "0.5")]
    [InlineData("\"-.5e+1\"", "-0.5e+1")]
    [InlineData("\"5.\"", "5")]
    [InlineData("\"5.e2\"", "5e2")]
    [InlineData("\"000\"", "0")]
    [InlineData("\"1E3\"", "1E3")]
    public void A_text_that_spells_a_number_is_that_number(string sent, string written)
    {
        var payload = Rows.Json($$"""{"temperature":{{sent}},"humidity":41}""");

        Assert.Empty(payload.Problems);
        Assert.Equal(written, payload.RowJson().GetProperty("temperature").GetRawText());
        Assert.Equal(
            double.Parse(written, System.Globalization.CultureInfo.InvariantCulture),
            Rows.Json($$"""{"temperature":{{sent}}}""", ReadingKind.Inverter).Inverter(0).TemperatureC
        );
    }

    [Theory]
    [InlineData("""{"boot_id":"b","sequence":1.0}""", 1)]
    [InlineData("""{"boot_id":"b","sequence":"7"}""", 7)]
    [InlineData("""{"boot_id":"b","sequence":" 07 "}""", 7)]
    [InlineData("""{"boot_id":"b","sequence":12e2}""", 1200)]
    [InlineData("""{"boot_id":"b","sequence":120e-1}""", 12)]
    [InlineData("""{"boot_id":"b","sequence":0}""", 0)]
    [InlineData("""{"boot_id":"b","sequence":-0}""", 0)]
    [InlineData("""{"boot_id":"b","sequence":18446744073709551615}""", ulong.MaxValue)]
    [InlineData("""{"boot_id":"b","sequence":"18446744073709551615"}""", ulong.MaxValue)]
    [InlineData("""{"boot_id":"b","sequence":" +12345678901234567891."}""", 12_345_678_901_234_567_891)]
    [InlineData("""{"boot_id":"b","sequence":1.844674407370955161500e19}""", ulong.MaxValue)]
    public void A_sequence_is_a_whole_number_however_it_is_spelled(string json, ulong sequence)
    {
        var payload = Rows.Json(json);

        Assert.Empty(payload.Problems);
        Assert.Equal(new ReadingIdentity("topic-device", "b", ReadingKind.Thermal, sequence), payload.Identity(0));
        Assert.True(payload.Identity(0).IsComplete);
        Assert.Equal(sequence, payload.RowJson().GetProperty("sequence").GetUInt64());
    }

    [Fact]
    public void Numbers_as_ids_are_their_texts()
    {
        var payload = Payload.Decode(
            """{"device_id":12345,"boot_id":77,"sequence":3,"hostname":9}"""u8.ToArray(),
            isJson: true,
            "12345",
            ReadingKind.Thermal,
            Rows.ReceivedAt
        );

        Assert.Empty(payload.Problems);
        Assert.Equal(new ReadingIdentity("12345", "77", ReadingKind.Thermal, 3), payload.Identity(0));
        Assert.Contains("\"device_id\":\"12345\",\"boot_id\":\"77\",\"sequence\":3", payload.Row(), StringComparison.Ordinal);
        Assert.Equal("12345", payload.RowJson().GetProperty("device_id").GetString());
    }

    [Fact]
    public void Of_a_nested_key_that_comes_twice_the_last_one_counts()
    {
        var row = Rows.Json(
                """{"wifi":{"rssi":-60,"ap":{"a":1,"b":"x\u00fc","a":1.50},"rssi":-61},"list":[{"k":1,"k":2}],"plain":{"a":{"b":1.0}}}"""
            )
            .RowJson();

        Assert.Equal(
            """{"rssi":-61,"ap":{"a":1.50,"b":"xü"}}""",
            row.GetProperty("wifi").GetRawText().Replace("\\u00fc", "ü", StringComparison.Ordinal)
        );
        Assert.Equal("""[{"k":2}]""", row.GetProperty("list").GetRawText());
        Assert.Equal("""{"a":{"b":1.0}}""", row.GetProperty("plain").GetRawText());
    }

    public static TheoryData<byte[], string> NotReadings() =>
        new()
        {
            { [.. "{\"temperature\":1.14}"u8, 0], "a NUL (0x00) at byte 20" },
            { [.. "{\"temperature\":1.14}"u8, 0, 0, 0], "a NUL (0x00) at byte 20" },
            { [0xFF, 0xFE, .. Encoding.Unicode.GetBytes("{\"temperature\":1.15}")], "UTF-16 (little-endian)" },
            { Encoding.Unicode.GetBytes("{\"temperature\":1.15}"), "UTF-16 (little-endian)" },
            { [0xFE, 0xFF, .. Encoding.BigEndianUnicode.GetBytes("{\"a\":1}")], "UTF-16 (big-endian)" },
            { Encoding.BigEndianUnicode.GetBytes("{\"a\":1}"), "UTF-16 (big-endian)" },
            { Encoding.Latin1.GetBytes("{\"hostname\":\"Straße\",\"temperature\":1}"), "not UTF-8: byte 17 is 0xDF, 'ß' in Latin-1" },
            { Encoding.Latin1.GetBytes("20 °C"), "not UTF-8: byte 3 is 0xB0, '°' in Latin-1" },
            { [.. "21.5"u8], "a bare number, \"21.5\"" },
            { [.. " -3e2\n"u8], "a bare number, \"-3e2\"" },
            { [.. "offline"u8], "a bare word, \"offline\"" },
            { [.. "true"u8], "a bare word, \"true\"" },
            { [.. "\"on\""u8], "a JSON string" },
            { [.. "weather,room=lab temp=21.5,hum=40i 1763632828000000000"u8], "InfluxDB line protocol" },
            { [.. "cpu usage=99.5"u8], "InfluxDB line protocol" },
            { [.. "temperature=21.5&humidity=40"u8], "key=value" },
            { [.. "21.5;40;1013"u8], "values without keys" },
            { [.. "<xml/>"u8], "XML" },
            { [.. "Temperature is 21.5 degrees"u8], "plain text, \"Temperature is 21.5 degrees\"" },
            { [.. "'temperature': 21.5"u8], "single quote" },
            { [.. " \r\n"u8], "white space only" },
            { [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3], "gzip" },
            { [0x28, 0xB5, 0x2F, 0xFD, 4, 0x58, 1], "Zstandard" },
            { [0x78, 0x9C, 0xAB, 0x56, 0x2A, 0x49], "zlib" },
            { [.. "PK\u0003\u0004abc"u8], "ZIP" },
            { [.. "{\"temperature\":NaN,\"humidity\":41}"u8], "not JSON at byte 15: NaN is not JSON (NaN and Infinity are not JSON)" },
            { [.. "{\"temperature\":-Infinity}"u8], "NaN and Infinity are not JSON" },
            { [.. "{\"temperature\":nan}"u8], "NaN and Infinity are not JSON" },
            { [.. "{\"temperature\":-inf}"u8], "NaN and Infinity are not JSON" },
            { [.. "{\"temperature\": None}"u8], "None is not JSON" },
            { [.. "{\"temperature\":21,5}"u8], "not JSON at byte 18: a decimal comma" },
            { [.. "{\"a\":1,\"temperature\":21,5,\"b\":2}"u8], "a decimal comma" },
            { [.. "{'temperature': 21.5}"u8], "not JSON at byte 1: single quotes" },
            { [.. "{\"temperature\": 'warm'}"u8], "single quotes" },
            { [.. "{temperature: 21.5}"u8], "without quotation marks" },
            { [.. "{\"temperature\":21.5,}"u8], "a comma with nothing after it" },
            { [.. "{\"temperature\":21."u8], "in the middle" },
            { [.. "[{\"temperature\":1},{\"temperature\":"u8], "in the middle" },
        };

    [Theory, MemberData(nameof(NotReadings))]
    public void Says_what_came_and_never_in_wire_types(byte[] bytes, string reason)
    {
        foreach (
            var contentType in new[]
            {
                null,
                Payload.JsonContentType,
                "text/plain",
                Payload.ProtobufContentType,
                "application/octet-stream",
            }
        )
        {
            var isJson = PayloadFormat.IsJson(bytes, contentType, out var body);
            var e = Assert.ThrowsAny<PayloadException>(() => Payload.Decode(body, isJson, "d", ReadingKind.Thermal, Rows.ReceivedAt));
            Assert.Contains(reason, e.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("wire", e.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("varint", e.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("application/x-protobuf")]
    [InlineData("text/plain")]
    public void White_space_and_a_byte_order_mark_in_front_of_JSON_do_not_matter(string? contentType)
    {
        foreach (
            var text in new[]
            {
                "\uFEFF{\"temperature\":1}",
                "\r\n{\"temperature\":1}\r\n",
                "\n{\"temperature\":1}",
                "\t [{\"temperature\":1}]",
                "\uFEFF\r\n {\"temperature\":1}",
            }
        )
        {
            var isJson = PayloadFormat.IsJson(Encoding.UTF8.GetBytes(text), contentType, out var body);
            Assert.True(isJson, $"{JsonSerializer.Serialize(text)} as {contentType}");
            Assert.Equal(
                1,
                Payload.Decode(body, isJson, "d", ReadingKind.Thermal, Rows.ReceivedAt).RowJson().GetProperty("temperature").GetInt32()
            );
        }
    }

    [Theory]
    [InlineData("""{"temp":21.46,"hum":40}""", true, "temp → temperature, hum → humidity")]
    [InlineData("""{"Temperature":21.31,"Humidity":40}""", true, "Temperature → temperature, Humidity → humidity")]
    [InlineData("""{"temperature":21.31,"Humidity":40}""", true, "Humidity → humidity")]
    [InlineData("""{"TEMP_C":21.31}""", true, "TEMP_C → temperature")]
    [InlineData("""{"co2_ppm":700,"hostname":"x"}""", true, "co2_ppm → co2")]
    [InlineData("""{"tempreature":21}""", true, "tempreature → temperature")]
    [InlineData("""{"AM2301":{"Temperature":28.7}}""", true, "")]
    [InlineData("{}", true, "")]
    [InlineData("""{"temperature":21.31,"room":"lab"}""", false, "")]
    [InlineData("""{"temperature":null}""", false, "")]
    [InlineData("""{"hostname":"x","ts":1772597167}""", false, "")]
    [InlineData("""{"gas_resistance":117297,"sensors":"bme680"}""", false, "")]
    [InlineData("""{"gas_resistance":117297,"hum":40}""", false, "")]
    [InlineData("""{"hum":40,"quality":"good"}""", true, "hum → humidity")]
    public void Keys_that_no_row_knows_are_noticed(string json, bool isOdd, string meant)
    {
        var payload = Rows.Json(json);

        Assert.Equal(isOdd, payload.HasUnknownKeys(0));
        if (isOdd)
            Assert.Equal(
                meant,
                string.Join(
                    ", ",
                    payload
                        .UnknownKeys(0)
                        .Where(key => KnownKeys.Nearest(key) is not null)
                        .Select(key => $"{key} → {KnownKeys.Nearest(key)}")
                )
            );
    }

    [Theory]
    [InlineData("""{"observed_at":"1970-01-01T00:00:12Z"}""", true)]
    [InlineData("""{"ts":86400}""", true)]
    [InlineData("""{"datetimestamp":"2000-01-01 00:00:59"}""", true)]
    [InlineData("""{"ts":978307200}""", false)]
    [InlineData("""{"temperature":1}""", false)]
    public void A_clock_that_was_never_set_is_noticed(string json, bool isUnset)
    {
        Assert.Empty(Rows.Json(json).Problems);
        Assert.Equal(isUnset, Rows.Json(json).IsClockNotSet(0));
    }

    [Fact]
    public void A_clock_that_was_never_set_is_noticed_in_a_batch_too()
    {
        var payload = Rows.Decode(
            Rows.Batch(new ThermalReading { Sequence = 1, ObservedAtUs = 12_000_000 }, Rows.Full(2), new ThermalReading { Sequence = 3 })
        );

        Assert.Equal([true, false, false], Enumerable.Range(0, 3).Select(payload.IsClockNotSet));
        Assert.Equal("1970-01-01T00:00:12.000000+00:00", payload.RowJson().GetProperty("datetimestamp").GetString());
    }

    static class Written
    {
        public static string Iso(DateTimeOffset at)
        {
            var text = new byte[Instants.IsoLength];
            Instants.FormatIso(at, text);
            return Encoding.ASCII.GetString(text);
        }
    }
}
