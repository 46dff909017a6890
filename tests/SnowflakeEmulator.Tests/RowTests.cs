using System.Net;

namespace ThermalStreaming.SnowflakeEmulator.Tests;

/// <summary>What becomes of a row: mapping, casts, rejection, the error table, reading back; and the pipes that decide it.</summary>
public class RowTests
{
    const string Start = """
        CREATE DATABASE DEMO;
        CREATE SCHEMA DEMO.DEMO;
        USE SCHEMA DEMO.DEMO;

        """;

    /// <summary>The 25 keys of a thermal row with values of the kinds that the original project sends.</summary>
    const string ThermalRow = """
        {"uuid":"thrml_abc_20261120100000","rowid":"20261120100000_c3","ipaddress":"192.168.1.10","macaddress":"dc:a6:32:00:00:01","host":"pi","hostname":"pi","local_hostname":"pi.local","cputempf":128,"runtime":5,"systemtime":"11/20/2026 10:00:00","starttime":"11/20/2026 09:59:55","endtime":"1795172006.94","te":"5.001","ts":1795172006,"datetimestamp":"2026-11-20T10:00:00.123456+00:00","cpu":12.3,"memory":45.6,"diskusage":"12345.6 MB","temperature":21.12345,"humidity":40.126,"co2":612,"pressure":101325.5,"temperatureicp":72.96,"equivalentco2ppm":400,"totalvocppb":null,"device_id":"pi-1","boot_id":"b","sequence":7,"forwarded_at":"2026-11-20T10:00:01.5Z","channel_id":"pi-1-0","stream_offset":42}
        """;

    [Fact]
    public async Task A_thermal_row_is_taken_apart_into_the_columns_of_the_table()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();

        await emulator.AppendAsync("0_1", "1", ThermalRow);

        var row = Assert.Single(await emulator.RowsAsync());
        Assert.Equal(
            ThermalRow,
            row["RAW_DATA"]!.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping })
        );
        Assert.Equal("thrml_abc_20261120100000", (string?)row["UUID"]);
        Assert.Equal("21.1235", row["TEMPERATURE"]!.ToJsonString());
        Assert.Equal("40.13", row["HUMIDITY"]!.ToJsonString());
        Assert.Equal("612.0", row["CO2"]!.ToJsonString());
        Assert.Equal("73.0", row["TEMPERATUREICP"]!.ToJsonString());
        Assert.Equal("128", row["CPUTEMPF"]!.ToJsonString());
        Assert.Null(row["TOTALVOCPPB"]);
        Assert.Equal("2026-11-20T10:00:00.123456", (string?)row["DATETIMESTAMP"]);
        Assert.Equal("2026-11-20T10:00:01.5", (string?)row["FORWARDED_AT"]);
        Assert.Equal("2026-11-20T10:00:01.5", (string?)row["INGESTION_TIMESTAMP"]);
        Assert.Equal(7, (long)row["SEQUENCE"]!);
        Assert.Equal(42, (long)row["STREAM_OFFSET"]!);
    }

    [Theory]
    [InlineData("""{"temperature":"\ud83d"}""")]
    [InlineData("""{"datetimestamp":"\udc00x"}""")]
    [InlineData("""{"\ud83d":1}""")]
    public async Task Half_of_a_surrogate_pair_costs_no_more_than_its_own_row(string row)
    {
        await using var emulator = await Emulator.StartAsync(
            sql: Start
                + """
                CREATE TABLE T (UUID VARCHAR(1), TEMPERATURE DECIMAL(10,4), DATETIMESTAMP TIMESTAMP_NTZ);
                CREATE PIPE THERMAL_SENSOR_PIPE AS COPY INTO T FROM TABLE(DATA_SOURCE(TYPE => 'STREAMING')) MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE;
                """
        );
        await emulator.OpenAsync();

        Assert.Equal(
            HttpStatusCode.OK,
            (await emulator.AppendAsync("0_1", "1", Emulator.Row("a") + row + "\n" + Emulator.Row("b"))).Status
        );

        Assert.Equal(["a", "b"], (await emulator.RowsAsync(table: "T")).Select(r => (string?)r["UUID"]));
        Assert.Equal(1, (int)(await emulator.StatusAsync())["rows_error_count"]!);
    }

    [Fact]
    public async Task A_row_may_be_nested_as_deeply_as_it_likes()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();

        await emulator.AppendAsync("0_1", "1", Emulator.Row("a", $",\"deep\":{new string('[', 500)}{new string(']', 500)}"));

        Assert.StartsWith(
            """{"RAW_DATA":{"uuid":"a","deep":[[[[""",
            (await emulator.GetAsync("/emulator/tables/THERMAL_SENSOR_DATA/rows")).Body,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_table_is_found_by_its_exact_name_first()
    {
        await using var emulator = await Emulator.StartAsync(sql: Start + """CREATE TABLE T (A INT); CREATE TABLE "t" (B INT);""");
        await emulator.SendAsync(
            HttpMethod.Post,
            "/v2/streaming/data/databases/DEMO/schemas/DEMO/tables/%22t%22/rows",
            Emulator.Text("""{"B":1}""" + "\n", "application/x-ndjson")
        );

        Assert.Equal("""{"B":1}""", Assert.Single(await emulator.RowsAsync(table: "t")).ToJsonString());
        Assert.Empty(await emulator.RowsAsync(table: "T"));
    }

    [Fact]
    public async Task Every_sensor_value_may_be_null_or_missing()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();

        await emulator.AppendAsync(
            "0_1",
            "1",
            """{"uuid":"a","temperature":null,"humidity":null,"co2":null,"pressure":null,"datetimestamp":null}""" + "\n{}\n"
        );

        Assert.Equal(2, (await emulator.RowsAsync()).Length);
        Assert.Equal(0, (int)(await emulator.StatusAsync())["rows_error_count"]!);
    }

    [Fact]
    public async Task Rejected_rows_are_counted_and_kept_while_the_others_and_the_offset_go_on()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();

        await emulator.SendAsync(
            HttpMethod.Post,
            $"{Emulator.Data}/channels/CH/rows?continuationToken=0_1&startOffsetToken=10&endOffsetToken=14",
            Emulator.Text(
                Emulator.Row("a") + """{"uuid":"bad","temperature":"warm"}""" + "\n{\"uuid\":\n" + Emulator.Row("b") + "[1]\n",
                "application/x-ndjson"
            )
        );

        Assert.Equal("ab", await emulator.UuidsAsync());
        Assert.Equal("14", await emulator.CommittedAsync());
        var status = await emulator.StatusAsync();
        Assert.Equal(3, (int)status["rows_error_count"]!);
        Assert.Equal(2, (int)status["rows_inserted"]!);
        var errors = await emulator.ErrorsAsync();
        Assert.Equal(3, errors.Length);
        Assert.Equal("warm", (string?)errors[0]["error_data"]!["$1"]!["temperature"]);
        Assert.Contains("TEMPERATURE", (string?)errors[0]["error_metadata"]!["error_message"], StringComparison.Ordinal);
        Assert.DoesNotContain("warm", (string?)errors[0]["error_metadata"]!["error_message"], StringComparison.Ordinal);
        Assert.Equal("""{"uuid":""", (string?)errors[1]["error_data"]!["$1"]);
        var details = errors[1]["error_metadata"]!["details"]!;
        Assert.Equal("json-invalid", (string?)details["error_data_content_type"]);
        Assert.Equal("CH", (string?)details["channel_name"]);
        Assert.Equal("10", (string?)details["offset_token_lower_bound"]);
        Assert.Equal("14", (string?)details["offset_token_upper_bound"]);
        Assert.Equal("[1]", errors[2]["error_data"]!["$1"]!.ToJsonString());
        Assert.Equal("[1]", Assert.Single(await emulator.ErrorsAsync("?after=2&limit=5"))["error_data"]!["$1"]!.ToJsonString());
    }

    [Theory]
    [InlineData("NUMBER(5,2)", "123.456", "123.46")]
    [InlineData("NUMBER(5,2)", "999.994", "999.99")]
    [InlineData("NUMBER(5,2)", "999.995", null)]
    [InlineData("NUMBER(5,2)", "1000", null)]
    [InlineData("NUMBER(5,2)", "-0.005", "-0.01")]
    [InlineData("NUMBER(5,2)", "-0.001", "0.00")]
    [InlineData("NUMBER(5,2)", "1.5e2", "150.00")]
    [InlineData("NUMBER(5,2)", "1e3", null)]
    [InlineData("NUMBER(5,2)", "1e-400", "0.00")]
    [InlineData("NUMBER(5,2)", "\" 12.5 \"", "12.50")]
    [InlineData("NUMBER(5,2)", "\"12,5\"", null)]
    [InlineData("NUMBER(5,2)", "\"\"", null)]
    [InlineData("NUMBER(5,2)", "true", "1.00")]
    [InlineData("NUMBER(5,2)", "{}", null)]
    [InlineData("INTEGER", "2.5", "3")]
    [InlineData("INTEGER", "1e9", "1000000000")]
    [InlineData("BIGINT", "1.0E10", "10000000000")]
    [InlineData("BIGINT", "-1e+37", "-10000000000000000000000000000000000000")]
    [InlineData("BIGINT", "\"1e9\"", "1000000000")]
    [InlineData("BIGINT", "1e38", null)]
    [InlineData("NUMBER(38,37)", "9.5e0", "9.5000000000000000000000000000000000000")]
    [InlineData("INTEGER", "\"\\ud83d\"", null)]
    [InlineData("BIGINT", "12345678901234567890123456789012345678", "12345678901234567890123456789012345678")]
    [InlineData("BIGINT", "123456789012345678901234567890123456789", null)]
    [InlineData("FLOAT", "1.5e300", "1.5E+300")]
    [InlineData("FLOAT", "\"x\"", null)]
    [InlineData("VARCHAR(3)", "\"äöü\"", "\"äöü\"")]
    [InlineData("VARCHAR(3)", "\"a\\u00e4\\n\"", "\"a\\u00e4\\n\"")]
    [InlineData("VARCHAR(3)", "\"abcd\"", null)]
    [InlineData("VARCHAR(3)", "12", "\"12\"")]
    [InlineData("VARCHAR(3)", "\"abc\\ud83d\"", null)]
    [InlineData("VARCHAR", "false", "\"false\"")]
    [InlineData("VARCHAR", "[1, 2]", "\"[1, 2]\"")]
    [InlineData("BOOLEAN", "\"Yes\"", "true")]
    [InlineData("BOOLEAN", "0", "false")]
    [InlineData("BOOLEAN", "\"perhaps\"", null)]
    [InlineData("DATE", "\"2024-02-29\"", "\"2024-02-29\"")]
    [InlineData("DATE", "\"2023-02-29\"", null)]
    [InlineData("TIME", "\"23:59:59.5\"", "\"23:59:59.5\"")]
    [InlineData("TIME", "\"24:00\"", null)]
    [InlineData("TIMESTAMP_NTZ", "\"2026-11-20\"", "\"2026-11-20T00:00:00\"")]
    [InlineData("TIMESTAMP_NTZ", "\"2026-11-20T10:00\"", "\"2026-11-20T10:00:00\"")]
    [InlineData("TIMESTAMP_NTZ", "\"2026-11-20T10:00:00.123456789+02:00\"", "\"2026-11-20T10:00:00.123456789\"")]
    [InlineData("TIMESTAMP_NTZ", "\"11/20/2026 10:00:00\"", null)]
    [InlineData("TIMESTAMP_NTZ", "\"2026-11-20T10:00:00 UTC\"", null)]
    [InlineData("TIMESTAMP_NTZ", "1795172006", "\"2026-11-20T10:53:26\"")]
    [InlineData("TIMESTAMP_NTZ", "\"1795172006940\"", "\"2026-11-20T10:53:26.94\"")]
    [InlineData("TIMESTAMP_NTZ", "9999999999999999", null)]
    [InlineData("TIMESTAMP_LTZ", "\"2026-11-20T10:00:00+02:00\"", "\"2026-11-20T08:00:00Z\"")]
    [InlineData("TIMESTAMP_LTZ", "\"0001-01-01T00:00:00+01:00\"", null)]
    [InlineData("TIMESTAMP_LTZ", "\"9999-12-31T23:59:59-01:00\"", null)]
    [InlineData("TIMESTAMP_LTZ", "\"9999-12-31T23:59:59+01:00\"", "\"9999-12-31T22:59:59Z\"")]
    [InlineData("TIMESTAMP_TZ", "\"2026-11-20T10:00:00-03:30\"", "\"2026-11-20T10:00:00-03:30\"")]
    [InlineData("VARIANT", "{\"a\": [1]}", "{\"a\": [1]}")]
    [InlineData("VARIANT", "\"{}\"", "\"{}\"")]
    [InlineData("OBJECT", "[1]", null)]
    [InlineData("ARRAY", "[1]", "[1]")]
    public async Task A_cast_gives_its_value_or_rejects_the_row(string type, string value, string? stored)
    {
        await using var emulator = await Emulator.StartAsync(
            sql: Start
                + $"""
                CREATE TABLE T (V {type});
                CREATE PIPE THERMAL_SENSOR_PIPE AS COPY INTO T FROM (SELECT $1:v::{type} FROM TABLE(DATA_SOURCE(TYPE => 'STREAMING')));
                """
        );
        await emulator.OpenAsync();

        var line = $$"""{"v":{{value}}}""" + "\n";
        await emulator.AppendAsync("0_1", "1", line);

        var body = (await emulator.GetAsync("/emulator/tables/T/rows")).Body;
        Assert.Equal(stored is null ? "" : $$"""{"V":{{stored}}}""" + "\n", body);
        Assert.Equal(stored is null ? 1 : 0, (await emulator.ErrorsAsync(table: "T")).Length);
        Assert.Equal(stored is null ? "" : line, (await emulator.GetAsync("/emulator/tables/t/rows?raw=1")).Body);
    }

    [Fact]
    public async Task NULL_in_a_NOT_NULL_column_rejects_the_row_with_the_message_seen_live()
    {
        await using var emulator = await Emulator.StartAsync(
            sql: Start
                + """
                CREATE TABLE T (A VARCHAR NOT NULL, B NUMBER);
                CREATE PIPE THERMAL_SENSOR_PIPE AS COPY INTO T (B, A) FROM (SELECT $1:b::NUMBER, $1:a::VARCHAR FROM TABLE(DATA_SOURCE(TYPE => 'STREAMING')));
                """
        );
        await emulator.OpenAsync();

        await emulator.AppendAsync("0_1", "1", """{"a":"x","b":1}""" + "\n" + """{"a":null,"b":2}""" + "\n" + """{"b":3}""" + "\n");

        var status = await emulator.StatusAsync();
        Assert.Equal(1, (int)status["rows_inserted"]!);
        Assert.Equal(2, (int)status["rows_error_count"]!);
        Assert.StartsWith("NULL result in a non-nullable column", (string?)status["last_error_message"], StringComparison.Ordinal);
        Assert.Equal("1", (string?)status["last_committed_offset_token"]);
    }

    [Theory]
    [InlineData("""{"a":1}{"a":2}""")]
    [InlineData("""{"a":1} x""")]
    [InlineData("""{"a":NaN}""")]
    [InlineData("""{'a':1}""")]
    [InlineData("\"text\"")]
    [InlineData("null")]
    [InlineData("{\"v\":1,\"v\":2}")]
    public async Task A_line_that_is_not_one_JSON_object_is_rejected(string line)
    {
        await using var emulator = await Emulator.StartAsync(
            sql: Start
                + """
                CREATE TABLE T (V VARIANT);
                CREATE PIPE THERMAL_SENSOR_PIPE AS COPY INTO T FROM (SELECT $1:v FROM TABLE(DATA_SOURCE(TYPE => 'STREAMING')));
                """
        );
        await emulator.OpenAsync();

        var answer = await emulator.AppendAsync("0_1", "1", line + "\n");

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(1, (int)(await emulator.StatusAsync())["rows_error_count"]!);
    }

    [Fact]
    public async Task Invalid_UTF_8_rejects_the_row_only()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();

        await emulator.SendAsync(
            HttpMethod.Post,
            $"{Emulator.Data}/channels/CH/rows?continuationToken=0_1&offsetToken=1",
            new ByteArrayContent([.. "{\"uuid\":\"a\"}\n{\"uuid\":\""u8, 0xC3, 0x28, .. "\"}\n{\"uuid\":\"b\"}"u8])
        );

        Assert.Equal("ab", await emulator.UuidsAsync());
        Assert.Single(await emulator.ErrorsAsync());
    }

    [Fact]
    public async Task Line_ends_blank_lines_a_mark_at_the_start_and_a_missing_end_do_not_matter()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();

        await emulator.AppendAsync("0_1", "1", "\uFEFF{\"uuid\":\"a\"}\r\n\r\n\n  {\"uuid\":\"b\"} \n{\"uuid\":\"c\"}");

        Assert.Equal("abc", await emulator.UuidsAsync());
    }

    // ── Pipes ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

    [Fact]
    public async Task Matching_by_column_name_ignores_case_and_prefers_the_exact_key()
    {
        await using var emulator = await Emulator.StartAsync(
            sql: Start
                + """
                CREATE TABLE T (ABC VARCHAR, "abc" VARCHAR, N NUMBER(3) NOT NULL DEFAULT 5, V VARIANT);
                CREATE PIPE THERMAL_SENSOR_PIPE AS COPY INTO T FROM TABLE(DATA_SOURCE(TYPE => 'STREAMING')) MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE;
                """
        );
        await emulator.OpenAsync();

        await emulator.AppendAsync(
            "0_1",
            "1",
            """
            {"Abc":"both","extra":1,"v":"{}"}
            {"abc":"low","ABC":"up","n":7}
            {"ABC":"up","Abc":"other","n":1000}
            {"n":null}
            """
        );

        Assert.Equal(
            """
            {"ABC":"both","abc":"both","N":5,"V":"{}"}
            {"ABC":"up","abc":"low","N":7,"V":null}

            """,
            (await emulator.GetAsync("/emulator/tables/T/rows")).Body
        );
        Assert.Equal(2, (await emulator.ErrorsAsync(table: "T")).Length);
    }

    [Fact]
    public async Task Matching_with_case_takes_only_the_exact_key()
    {
        await using var emulator = await Emulator.StartAsync(
            sql: Start
                + """
                CREATE TABLE T (ABC VARCHAR);
                CREATE PIPE THERMAL_SENSOR_PIPE AS COPY INTO T FROM TABLE(DATA_SOURCE(TYPE => 'STREAMING')) MATCH_BY_COLUMN_NAME = CASE_SENSITIVE;
                """
        );
        await emulator.OpenAsync();

        await emulator.AppendAsync("0_1", "1", "{\"abc\":\"x\"}\n{\"ABC\":\"y\"}\n");

        Assert.Equal("{\"ABC\":null}\n{\"ABC\":\"y\"}\n", (await emulator.GetAsync("/emulator/tables/T/rows")).Body);
    }

    [Fact]
    public async Task Keys_of_a_SELECT_keep_their_case()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();

        await emulator.AppendAsync("0_1", "1", """{"UUID":"upper"}""");

        Assert.Null(Assert.Single(await emulator.RowsAsync())["UUID"]);
    }

    [Fact]
    public async Task The_default_pipe_appears_with_the_first_open_and_matches_by_column_name()
    {
        await using var emulator = await Emulator.StartAsync();
        const string Pipe = "databases/DEMO/schemas/DEMO/pipes/thermal_sensor_data-streaming";

        var before = await emulator.BulkStatusAsync("/v2/streaming/" + Pipe, "CH");
        var open = await emulator.OpenAsync(pipe: "/v2/streaming/" + Pipe);
        await emulator.AppendAsync(open.Next, "1", """{"uuid":"a","temperature":1}""", data: "/v2/streaming/data/" + Pipe);
        var after = await emulator.BulkStatusAsync("/v2/streaming/" + Pipe, "CH");

        Assert.Equal(HttpStatusCode.NotFound, before.Status);
        Assert.Equal("THERMAL_SENSOR_DATA-STREAMING", (string?)open.Json["channel_status"]!["pipe_name"]);
        Assert.Equal(HttpStatusCode.OK, after.Status);
        var row = Assert.Single(await emulator.RowsAsync());
        Assert.Equal("a", (string?)row["UUID"]);
        Assert.Equal("1.0000", row["TEMPERATURE"]!.ToJsonString());
        Assert.Null(row["RAW_DATA"]);
        await emulator.RestartAsync();
        Assert.Equal(HttpStatusCode.OK, (await emulator.BulkStatusAsync("/v2/streaming/" + Pipe, "CH")).Status);
    }

    // ── Elastic ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

    [Theory]
    [InlineData("/v2/streaming/data/databases/demo/schemas/demo/tables/thermal_sensor_data/rows")]
    [InlineData(Emulator.Data + "/channels/ELASTIC/rows")]
    public async Task The_elastic_channel_needs_no_open_and_keeps_what_is_sent_twice(string path)
    {
        await using var emulator = await Emulator.StartAsync();

        var first = await emulator.SendAsync(
            HttpMethod.Post,
            path + "?requestId=8d1f1d3c-33ff-4b0f-9d8f-111111111111&retryCount=0",
            Emulator.Text(Emulator.Row("a"), "application/x-ndjson")
        );
        await emulator.SendAsync(
            HttpMethod.Post,
            path + "?requestId=8d1f1d3c-33ff-4b0f-9d8f-111111111111&retryCount=1",
            Emulator.Text(Emulator.Row("a"), "application/x-ndjson")
        );

        Assert.Equal(HttpStatusCode.OK, first.Status);
        Assert.Equal("OK", (string?)first.Json["message"]);
        Assert.NotEmpty(first.Next);
        Assert.Equal("aa", await emulator.UuidsAsync());
    }

    [Theory]
    [InlineData("continuationToken=0_1")]
    [InlineData("offsetToken=1")]
    [InlineData("startOffsetToken=1")]
    [InlineData("endOffsetToken=1")]
    public async Task The_elastic_channel_refuses_tokens(string query)
    {
        await using var emulator = await Emulator.StartAsync();

        foreach (
            var path in new[]
            {
                "/v2/streaming/data/databases/DEMO/schemas/DEMO/tables/THERMAL_SENSOR_DATA/rows",
                Emulator.Data + "/channels/ELASTIC/rows",
            }
        )
        {
            var answer = await emulator.SendAsync(
                HttpMethod.Post,
                $"{path}?{query}",
                Emulator.Text(Emulator.Row("a"), "application/x-ndjson")
            );

            Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        }
        Assert.Empty(await emulator.RowsAsync());
    }

    [Fact]
    public async Task Elastic_rows_for_a_table_that_does_not_exist_are_404()
    {
        await using var emulator = await Emulator.StartAsync();

        var answer = await emulator.SendAsync(
            HttpMethod.Post,
            "/v2/streaming/data/databases/DEMO/schemas/DEMO/tables/NOPE/rows",
            Emulator.Text(Emulator.Row("a"), "application/x-ndjson")
        );

        Assert.Equal(HttpStatusCode.NotFound, answer.Status);
        Assert.Equal("ERR_TABLE_DOES_NOT_EXIST_NOT_AUTHORIZED", answer.Code);
    }

    // ── Reading back ────────────────────────────────────────────────────────────────────────────────────────────────────────

    [Fact]
    public async Task Rows_are_read_in_pages_by_row_number()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();
        await emulator.AppendAsync("0_1", "1", Emulator.Row("a") + "bad\n" + Emulator.Row("b") + Emulator.Row("c"));
        await emulator.AppendAsync("0_2", "2", Emulator.Row("d"));
        await emulator.AppendAsync("0_3", "3", "bad\n");
        await emulator.AppendAsync("0_4", "4", Emulator.Row("e") + Emulator.Row("f"));

        Assert.Equal("abcdef", await emulator.UuidsAsync("?after=&limit="));
        for (var after = 0; after <= 6; after++)
        {
            for (var limit = 0; limit <= 7; limit++)
                Assert.Equal("abcdef"[after..Math.Min(6, after + limit)], await emulator.UuidsAsync($"?after={after}&limit={limit}"));
        }
        Assert.Equal("", await emulator.UuidsAsync("?after=100"));
        Assert.Equal(HttpStatusCode.BadRequest, (await emulator.GetAsync("/emulator/tables/THERMAL_SENSOR_DATA/rows?after=x")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await emulator.GetAsync("/emulator/tables/NOPE/rows")).Status);
    }

    [Fact]
    public async Task Tables_tell_rows_errors_and_each_channels_committed_token()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();
        await emulator.OpenAsync("IDLE");
        await emulator.AppendAsync("0_1", "1", Emulator.Row("a") + "bad\n");

        var table = Assert.Single((await emulator.GetAsync("/emulator/tables")).Json.AsArray())!;

        Assert.Equal("THERMAL_SENSOR_DATA", (string?)table["name"]);
        Assert.Equal(1, (int)table["rows"]!);
        Assert.Equal(1, (int)table["errors"]!);
        Assert.Equal(["CH", "IDLE"], table["channels"]!.AsArray().Select(c => (string?)c!["name"]));
        Assert.Equal(["1", null], table["channels"]!.AsArray().Select(c => (string?)c!["last_committed_offset_token"]));
    }

    [Fact]
    public async Task The_front_page_says_what_this_is_and_what_is_in_it()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();
        await emulator.AppendAsync("0_1", "1", Emulator.Row("a"));

        var page = (await emulator.GetAsync("/")).Body;

        Assert.Contains("DEMO.DEMO.THERMAL_SENSOR_DATA: 1 rows", page, StringComparison.Ordinal);
        Assert.Contains("/emulator/tables", page, StringComparison.Ordinal);
        Assert.Contains(Emulator.User, page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reset_forgets_rows_channels_and_faults()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();
        await emulator.AppendAsync("0_1", "1", Emulator.Row("a"));
        await emulator.FaultAsync("""{"status":503,"times":100}""");

        await emulator.SendAsync(HttpMethod.Post, "/emulator/reset");

        Assert.Empty(await emulator.RowsAsync());
        Assert.Equal("0_1", (await emulator.OpenAsync()).Next);
        await emulator.AppendAsync("0_1", "1", Emulator.Row("b"));
        await emulator.RestartAsync();
        Assert.Equal("b", await emulator.UuidsAsync());
    }
}
