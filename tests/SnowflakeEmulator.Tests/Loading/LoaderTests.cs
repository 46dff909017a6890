using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace ThermalStreaming.SnowflakeEmulator.Tests;

/// <summary>What the loader makes of objects and of notifications.</summary>
public class LoaderTests
{
    [Fact]
    public async Task Each_record_is_a_row_with_the_files_name_checksum_and_times_in_UTC()
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(
            new DateTimeOffset(2026, 11, 20, 10, 0, 0, TimeSpan.FromHours(2))
        );
        await using var stand = await LoaderStand.StartAsync(clock: clock);
        var key = "inverter-data/2026-11-20/thermal.json";
        var tag = stand.Aws.Put(
            key,
            "{\"id\": \"Inverter_1\", \"PAC\": 1000.50}\n{\"id\":\"Inverter_2\",\"PAC\":null}\n"u8.ToArray(),
            new DateTimeOffset(2026, 11, 20, 9, 30, 0, TimeSpan.FromHours(2))
        );

        stand.Aws.Announce(key);
        await stand.Aws.EmptyAsync();

        var rows = await stand.RowsAsync();
        Assert.Equal(
            new JsonObject
            {
                ["FILE_NAME"] = key,
                ["JSON_BODY"] = JsonNode.Parse("""{"id":"Inverter_1","PAC":1000.50}"""),
                ["FILE_CONTENT_KEY"] = tag,
                ["FILE_LAST_MODIFIED"] = "2026-11-20T07:30:00",
                ["START_SCAN_TIME"] = "2026-11-20T08:00:00",
            }.ToJsonString(),
            Plain(rows[0])
        );
        Assert.Equal("""{"id":"Inverter_2","PAC":null}""", rows[1]["JSON_BODY"]!.ToJsonString());
        Assert.Equal(2, rows.Length);
        Assert.Equal(["2026-11-20/thermal.json LOADED 2/2"], await stand.HistoryAsync());
    }

    // However many decimals the times have.
    static string Plain(JsonNode row)
    {
        foreach (var name in (string[])["FILE_LAST_MODIFIED", "START_SCAN_TIME"])
        {
            var time = DateTime.Parse((string)row[name]!, CultureInfo.InvariantCulture);
            row[name] = time.ToString("s", CultureInfo.InvariantCulture);
        }
        return row.ToJsonString();
    }

    [Theory]
    [InlineData("lines.json", "{\"a\":1}\n{\"a\":2}\r\n\n{\"a\":3}", false)]
    [InlineData("array.json", "[\n{\"a\":1},\n{\"a\":2},\n{\"a\":3}\n]\n", false)]
    [InlineData("one-after-the-other.json", "{\"a\":1}{\"a\":2} {\"a\":3}", false)]
    [InlineData("pretty.json", "{\n  \"a\": 1\n}\n{\r\n\t\"a\": 2\r\n}\n[{\"a\":3}]", false)]
    [InlineData("mark.json", "\uFEFF{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n", false)]
    [InlineData("lines.json.gz", "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n", true)]
    [InlineData("gzip-by-its-content.json", "[{\"a\":1},{\"a\":2},{\"a\":3}]", true)]
    public async Task The_same_rows_come_from_every_form(string name, string content, bool isGzip)
    {
        await using var stand = await LoaderStand.StartAsync();

        await stand.LoadAsync(name, isGzip ? LoaderStand.Gzip(content) : Encoding.UTF8.GetBytes(content));

        Assert.Equal("""{"a":1} {"a":2} {"a":3}""", await stand.BodiesAsync());
        Assert.Equal([$"{name} LOADED 3/3"], await stand.HistoryAsync());
    }

    [Fact]
    public async Task Without_STRIP_OUTER_ARRAY_an_array_is_one_row()
    {
        await using var stand = await LoaderStand.StartAsync(sql =>
            sql.Replace("STRIP_OUTER_ARRAY = TRUE", "STRIP_OUTER_ARRAY = FALSE", StringComparison.Ordinal)
        );

        await stand.LoadAsync("array.json", "[{\"a\":1},{\"a\":2}] 7 \"x\"");

        Assert.Equal("""[{"a":1},{"a":2}] 7 "x" """.TrimEnd(), await stand.BodiesAsync());
    }

    [Fact]
    public async Task Compressed_with_Zstandard_it_is_read_too()
    {
        await using var stand = await LoaderStand.StartAsync();
        using var compressor = new ZstdSharp.Compressor();

        await stand.LoadAsync("a.json.zst", compressor.Wrap("{\"a\":1}"u8.ToArray()).ToArray());

        Assert.Equal("""{"a":1}""", await stand.BodiesAsync());
    }

    [Theory]
    [InlineData("2026-11-28/a b%+.json")]
    [InlineData("2026-11-28/ä ☀ 日.json")]
    [InlineData("+ +&=?#.json")]
    public async Task Keys_of_every_kind_are_found(string name)
    {
        await using var stand = await LoaderStand.StartAsync();

        await stand.LoadAsync(name, "{\"a\":1}");

        Assert.Equal("inverter-data/" + name, (string?)(await stand.RowsAsync())[0]["FILE_NAME"]);
    }

    [Fact]
    public async Task An_object_is_loaded_once_however_often_it_is_announced_or_overwritten()
    {
        await using var stand = await LoaderStand.StartAsync();
        await stand.LoadAsync("a.json", "{\"a\":1}");

        stand.Aws.Announce("inverter-data/a.json", "inverter-data/a.json");
        await stand.LoadAsync("a.json", "{\"a\":2}");
        await stand.LoadAsync("b.json", "{\"a\":3}");

        Assert.Equal("""{"a":1} {"a":3}""", await stand.BodiesAsync());
        Assert.Equal(["a.json LOADED 1/1", "b.json LOADED 1/1"], await stand.HistoryAsync());
    }

    [Fact]
    public async Task It_is_loaded_once_across_a_restart_and_again_after_a_reset()
    {
        await using var stand = await LoaderStand.StartAsync();
        await stand.LoadAsync("a.json", "{\"a\":1}");

        await stand.Emulator.RestartAsync();
        await stand.LoadAsync("a.json", "{\"a\":2}");

        Assert.Equal("""{"a":1}""", await stand.BodiesAsync());
        await stand.Emulator.SendAsync(HttpMethod.Post, "/emulator/reset");
        Assert.Equal("", await stand.BodiesAsync());
        Assert.Empty(await stand.HistoryAsync());
        await stand.LoadAsync("a.json", "{\"a\":3}");
        Assert.Equal("""{"a":3}""", await stand.BodiesAsync());
    }

    [Fact]
    public async Task A_pipe_forgets_after_14_days_and_leaves_objects_alone_that_are_as_old()
    {
        var clock = Emulator.NewClock();
        await using var stand = await LoaderStand.StartAsync(clock: clock);
        await stand.LoadAsync("a.json", "{\"a\":1}");

        clock.Advance(TimeSpan.FromDays(14.5));
        stand.Aws.Announce("inverter-data/a.json");
        await stand.Aws.EmptyAsync();
        Assert.Equal("""{"a":1}""", await stand.BodiesAsync());

        await stand.LoadAsync("a.json", "{\"a\":2}");
        Assert.Equal("""{"a":1} {"a":2}""", await stand.BodiesAsync());
        Assert.Single(await stand.HistoryAsync());
    }

    [Theory]
    [InlineData("""{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-11-20T10:00:00.000Z","Bucket":"thermal-test"}""")]
    [InlineData("half a {")]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("7")]
    [InlineData("""{"Records":[{"eventName":"ObjectCreated:Put"}]}""")]
    [InlineData("""{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":7},"object":{"key":[]}}}]}""")]
    [InlineData("""{"Records":[null]}""")]
    public async Task What_is_no_notification_is_deleted_and_stops_nothing(string body)
    {
        await using var stand = await LoaderStand.StartAsync();

        stand.Aws.Send(body);
        await stand.LoadAsync("a.json", "{\"a\":1}");

        Assert.Equal("""{"a":1}""", await stand.BodiesAsync());
    }

    [Fact]
    public async Task Other_prefixes_buckets_and_events_are_none_of_its_business()
    {
        await using var stand = await LoaderStand.StartAsync();
        stand.Aws.Put("inverter-quarantine/a.json", "{\"a\":1}"u8.ToArray());
        stand.Aws.Put("inverter-data/a.json", "{\"a\":2}"u8.ToArray());

        stand.Aws.Announce("inverter-quarantine/a.json");
        stand.Aws.Send(FakeAws.EventOf("ObjectRemoved:Delete", FakeAws.Bucket, "inverter-data/a.json"));
        stand.Aws.Send(FakeAws.EventOf("ObjectCreated:Put", "another-bucket", "inverter-data/a.json"));
        await stand.Aws.EmptyAsync();

        Assert.Empty(await stand.RowsAsync());
        Assert.Empty(stand.Aws.Fetched);
    }

    [Fact]
    public async Task An_object_that_is_gone_is_in_the_history_and_is_loaded_when_it_appears_after_all()
    {
        await using var stand = await LoaderStand.StartAsync();
        stand.Aws.Announce("inverter-data/a.json");
        await stand.Aws.EmptyAsync();
        var gone = Assert.Single(await stand.EntriesAsync());
        Assert.Equal("LOAD_FAILED", (string?)gone["status"]);
        Assert.Contains("was not found", (string?)gone["firstError"], StringComparison.Ordinal);

        await stand.LoadAsync("a.json", "{\"a\":1}");

        Assert.Equal("""{"a":1}""", await stand.BodiesAsync());
    }

    [Fact]
    public async Task Files_without_records_count_as_loaded()
    {
        await using var stand = await LoaderStand.StartAsync();

        await stand.LoadAsync("empty.json", "");
        await stand.LoadAsync("empty.json.gz", "");
        await stand.LoadAsync("blank.json", " \n\n");
        await stand.LoadAsync("array.json", "[]");

        Assert.Empty(await stand.RowsAsync());
        Assert.All(await stand.HistoryAsync(), load => Assert.EndsWith("LOADED 0/0", load, StringComparison.Ordinal));
        Assert.Equal(4, (await stand.HistoryAsync()).Length);
    }

    [Fact]
    public async Task Of_a_gzip_file_that_is_cut_off_or_damaged_nothing_is_loaded()
    {
        await using var stand = await LoaderStand.StartAsync(LoaderStand.Continue);
        var (random, seed) = ThermalStreaming.Testing.Seed.Next();
        var whole = LoaderStand.Gzip(string.Concat(Enumerable.Range(0, 2000).Select(i => $"{{\"a\":{i}}}\n")));
        List<byte[]> files = [.. new[] { 1, 4, 8, 9, whole.Length / 2, whole.Length - 5 }.Select(missing => whole[..^missing])];
        for (var i = 0; i < 6; i++)
        {
            byte[] bad = [.. whole];
            bad[random.Next(10, bad.Length)] ^= (byte)random.Next(1, 256);
            files.Add(bad);
        }

        for (var i = 0; i < files.Count; i++)
            await stand.LoadAsync($"{i}.json.gz", files[i]);

        Assert.Empty(await stand.RowsAsync());
        var history = await stand.EntriesAsync();
        Assert.Equal(files.Count, history.Length);
        Assert.All(
            history,
            load =>
                Assert.True(
                    (string?)load["status"] == "LOAD_FAILED" && ((string)load["firstError"]!).Contains("'GZIP'", StringComparison.Ordinal),
                    $"seed {seed}: {load}"
                )
        );
    }

    [Fact]
    public async Task One_bad_record_skips_the_file_and_the_history_says_where_it_is()
    {
        await using var stand = await LoaderStand.StartAsync();

        await stand.LoadAsync("a.json", "{\"a\":1}\n{\"a\":2,\"b\"}\n{\"a\":3}\n");

        Assert.Empty(await stand.RowsAsync());
        var load = Assert.Single(await stand.EntriesAsync());
        Assert.Equal(
            ("LOAD_FAILED", 0, 3, 1, 2, 11),
            (
                (string?)load["status"],
                (int)load["rowsInserted"]!,
                (int)load["rowsParsed"]!,
                (int)load["errorsSeen"]!,
                (int)load["firstErrorLineNum"]!,
                (int)load["firstErrorCharacterPos"]!
            )
        );
        Assert.StartsWith("Error parsing JSON: ", (string)load["firstError"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("CONTINUE", "PARTIALLY_LOADED 3/5")]
    [InlineData("SKIP_FILE", "LOAD_FAILED 0/5")]
    [InlineData("SKIP_FILE_2", "LOAD_FAILED 0/5")]
    [InlineData("SKIP_FILE_3", "PARTIALLY_LOADED 3/5")]
    [InlineData("'SKIP_FILE_40%'", "PARTIALLY_LOADED 3/5")]
    [InlineData("'SKIP_FILE_39%'", "LOAD_FAILED 0/5")]
    public async Task ON_ERROR_decides_what_becomes_of_the_rest(string policy, string expected)
    {
        await using var stand = await LoaderStand.StartAsync(sql => LoaderStand.OnError(sql, policy));

        await stand.LoadAsync(
            "a.json",
            "{\"a\":1}\n{\"a\":\n{\"a\":2}\nnot json\n{\"a\":3}\n".Replace("{\"a\":\n", "{\"a\":}\n", StringComparison.Ordinal)
        );

        Assert.Equal([$"a.json {expected}"], await stand.HistoryAsync());
        Assert.Equal(expected.Contains('3', StringComparison.Ordinal) ? """{"a":1} {"a":2} {"a":3}""" : "", await stand.BodiesAsync());
    }

    [Theory]
    [InlineData("{\"a\":1,\"a\":2}")]
    [InlineData("{\"a\":{\"b\":1,\"b\":2}}")]
    [InlineData("{\"\\ud83d\":1}")]
    [InlineData("{\"a\":NaN}")]
    [InlineData("{'a':1}")]
    [InlineData("{\"a\":1}}")]
    [InlineData("[{\"a\":1}")]
    [InlineData("[{\"a\":1} {\"a\":2}]")]
    [InlineData("[,{\"a\":1}]")]
    [InlineData("{\"a\":1")]
    public async Task What_is_not_JSON_fails_the_file(string content)
    {
        await using var stand = await LoaderStand.StartAsync();

        await stand.LoadAsync("a.json", content);

        Assert.EndsWith("LOAD_FAILED", (await stand.HistoryAsync())[0].Split(' ')[1], StringComparison.Ordinal);
        Assert.Empty(await stand.RowsAsync());
    }

    [Fact]
    public async Task Values_that_a_column_cannot_hold_are_errors_with_its_name()
    {
        await using var stand = await LoaderStand.StartAsync(sql =>
            LoaderStand
                .Continue(sql)
                .Replace("JSON_BODY           VARIANT ", "JSON_BODY NUMBER(3,1) NOT NULL", StringComparison.Ordinal)
                .Replace("        $1,", "        $1:\"PAC\"::NUMBER(3,1),", StringComparison.Ordinal)
        );

        await stand.LoadAsync("a.json", "{\"PAC\":\"7.26\"}\n{\"PAC\":\"much\"}\n{}\n{\"PAC\":1000}");

        Assert.Equal("7.3", await stand.BodiesAsync());
        var load = Assert.Single(await stand.EntriesAsync());
        Assert.Equal(
            ("JSON_BODY", 3, 2),
            ((string?)load["firstErrorColumnName"], (int)load["errorsSeen"]!, (int)load["firstErrorLineNum"]!)
        );
    }

    [Fact]
    public async Task A_pattern_and_a_path_choose_the_files()
    {
        await using var stand = await LoaderStand.StartAsync(sql =>
            sql.Replace("FROM @INVERTER_STAGE", "FROM @INVERTER_STAGE/2026-11-20", StringComparison.Ordinal)
                .Replace("ON_ERROR = SKIP_FILE;", "PATTERN = '.*/good[.]json';", StringComparison.Ordinal)
        );

        await stand.LoadAsync("2026-11-20/good.json", "1");
        await stand.LoadAsync("2026-11-20/bad.json", "2");
        await stand.LoadAsync("2026-11-21/good.json", "3");

        Assert.Equal("1", await stand.BodiesAsync());
    }

    [Fact]
    public async Task Rows_that_are_streamed_into_the_same_table_keep_their_order_and_their_number()
    {
        var clock = Emulator.NewClock();
        await using var aws = await FakeAws.StartAsync(clock);
        await using var emulator = await Emulator.StartAsync(
            settings =>
            {
                settings.Loader = aws.Settings;
                settings.Bucket = FakeAws.Bucket;
                settings.CommitDelay = TimeSpan.FromSeconds(5);
            },
            clock,
            LoaderStand.Sql
                + "CREATE PIPE STREAMED AS COPY INTO INVERTER_DATA_RAW (JSON_BODY) FROM (SELECT $1 FROM TABLE(DATA_SOURCE(TYPE => 'STREAMING')));"
        );
        await using var stand = new LoaderStand(aws, emulator);
        const string pipe = "/v2/streaming/databases/DEMO/schemas/DEMO/pipes/STREAMED";
        const string data = "/v2/streaming/data/databases/DEMO/schemas/DEMO/pipes/STREAMED";
        await emulator.OpenAsync(pipe: pipe);
        await emulator.AppendAsync("0_1", "1", "{\"s\":1}\n", data: data);

        await stand.LoadAsync("a.json", "{\"a\":1}\n{\"a\":2}");
        await emulator.AppendAsync("0_2", "2", "{\"s\":2}\n", data: data);
        clock.Advance(TimeSpan.FromSeconds(6));

        Assert.Equal("""{"s":1} {"a":1} {"a":2} {"s":2}""", await stand.BodiesAsync());
        Assert.Equal("""{"a":2}""", (await emulator.RowsAsync("?after=2&limit=1", LoaderStand.Table))[0]["JSON_BODY"]!.ToJsonString());
        var table = (await emulator.GetAsync("/emulator/tables")).Json[0]!;
        Assert.Equal(4, (int)table["rows"]!);
        // What carries the loaded rows is not a channel that anybody can see.
        Assert.Equal("CH", (string?)Assert.Single(table["channels"]!.AsArray())!["name"]);
    }
}
