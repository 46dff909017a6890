using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace ThermalStreaming.SnowflakeEmulator.Tests;

/// <summary>Classic Snowpipe's REST API, call by call as it is documented: insertFiles, insertReport, loadHistoryScan.</summary>
public class FilesApiTests
{
    const string Root = "/v1/data/pipes/DEMO.DEMO.INVERTER_PIPE/";
    static readonly DateTimeOffset start = new(2026, 11, 20, 10, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(
        "application/json",
        """{"files":[{"path":"2026-11-28/a b%.json","size":9},{"path":"x.json","size":null},{"path":"y.json"}]}"""
    )]
    [InlineData("text/plain", "2026-11-28/a b%.json\nx.json\r\n\ny.json\n")]
    [InlineData("text/plain; charset=utf-8", "2026-11-28/a b%.json\nx.json\ny.json")]
    public async Task Named_files_are_loaded_and_both_reports_tell(string type, string body)
    {
        await using var stand = await LoaderStand.StartAsync();
        foreach (var name in (string[])["2026-11-28/a b%.json", "x.json", "y.json"])
            stand.Aws.Put(LoaderStand.Prefix + name, "{\"a\":1}\n"u8.ToArray());

        var answer = await InsertAsync(stand, body, type, "requestId=6a1c");
        var report = await ReportedAsync(stand, 3);
        var history = await HistoryAsync(stand);

        Assert.Equal("6a1c", (string?)answer["requestId"]);
        Assert.Equal("success", (string?)answer["status"]);
        Assert.False(answer.AsObject().ContainsKey("unmatchedPatternFiles"));
        Assert.Equal("DEMO.DEMO.INVERTER_PIPE", (string?)report["pipe"]);
        foreach (var told in (JsonNode[])[report, history])
        {
            Assert.Equal(["2026-11-28/a b%.json", "x.json", "y.json"], Paths(told));
            Assert.True((bool)told["completeResult"]!);
        }
        var file = history["files"]![0]!;
        Assert.Equal("s3://thermal-test/inverter-data/", (string?)file["stageLocation"]);
        Assert.Equal("LOADED", (string?)file["status"]);
        Assert.Equal(
            (1, 1, 0, true),
            ((int)file["rowsInserted"]!, (int)file["rowsParsed"]!, (int)file["errorsSeen"]!, (bool)file["complete"]!)
        );
        Assert.Equal(8, (int)file["fileSize"]!);
        Assert.EndsWith("Z", (string)file["lastInsertTime"]!, StringComparison.Ordinal);
        Assert.False(file.AsObject().ContainsKey("firstError"));
        Assert.Equal(3, (await stand.RowsAsync()).Length);
    }

    [Fact]
    public async Task A_file_that_was_read_before_is_not_loaded_again_and_no_report_mentions_the_repeat()
    {
        await using var stand = await LoaderStand.StartAsync();
        await stand.LoadAsync("announced.json", "{\"a\":1}\n");
        stand.Aws.Put(LoaderStand.Prefix + "named.json", "{\"a\":2}\n"u8.ToArray());

        await InsertAsync(stand, "announced.json\nnamed.json\nannounced.json\n");
        await ReportedAsync(stand, 1);
        await InsertAsync(stand, "named.json\nannounced.json\n");
        stand.Aws.Put(LoaderStand.Prefix + "last.json", "{\"a\":3}\n"u8.ToArray());
        await InsertAsync(stand, "last.json\n");
        var report = await ReportedAsync(stand, 2);

        // Files are loaded in the order in which they were named: when the last is there, the repeats have been dealt with.
        Assert.Equal(["named.json", "last.json"], Paths(report));
        Assert.Equal("""{"a":1} {"a":2} {"a":3}""", await stand.BodiesAsync());
        Assert.Equal(["announced.json", "named.json", "last.json"], Paths(await HistoryAsync(stand)));
    }

    [Fact]
    public async Task A_bad_file_is_told_with_its_first_error_and_place()
    {
        await using var stand = await LoaderStand.StartAsync();
        stand.Aws.Put(LoaderStand.Prefix + "bad.json", "{\"a\":1}\n{\"a\":x}\n"u8.ToArray());

        await InsertAsync(stand, "bad.json\nmissing.json\n");
        var files = (await ReportedAsync(stand, 2))["files"]!.AsArray();

        Assert.Equal("LOAD_FAILED", (string?)files[0]!["status"]);
        Assert.Equal(0, (int)files[0]!["rowsInserted"]!);
        Assert.Equal(1, (int)files[0]!["errorLimit"]!);
        Assert.NotEmpty((string)files[0]!["firstError"]!);
        Assert.Equal(2, (int)files[0]!["firstErrorLineNum"]!);
        Assert.Equal("LOAD_FAILED", (string?)files[1]!["status"]);
        Assert.Contains("not found", (string)files[1]!["firstError"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_that_the_pattern_does_not_match_are_named_and_not_loaded()
    {
        await using var stand = await LoaderStand.StartAsync(sql =>
            sql.Replace("ON_ERROR = SKIP_FILE;", "PATTERN = '.*good.*[.]json' ON_ERROR = SKIP_FILE;", StringComparison.Ordinal)
        );
        foreach (var name in (string[])["good.json", "other.json"])
            stand.Aws.Put(LoaderStand.Prefix + name, "{\"a\":1}\n"u8.ToArray());

        var answer = await InsertAsync(stand, "other.json\ngood.json\n");

        Assert.Equal(["other.json"], answer["unmatchedPatternFiles"]!.AsArray().Select(path => (string?)path));
        Assert.Equal(["good.json"], Paths(await ReportedAsync(stand, 1)));
        Assert.DoesNotContain(LoaderStand.Prefix + "other.json", stand.Aws.Fetched);
    }

    [Fact]
    public async Task A_named_file_survives_a_restart_before_it_is_read()
    {
        await using var stand = await LoaderStand.StartAsync();
        stand.Aws.Put(LoaderStand.Prefix + "a.json", "{\"a\":1}\n"u8.ToArray());
        // The store answers nothing until the restart.
        await stand.Emulator.FaultAsync("""{"kind":"status","endpoint":"fetch","status":503,"seconds":"1h"}""");

        await InsertAsync(stand, "a.json\n");
        await stand.Emulator.RestartAsync();

        Assert.Equal(["a.json"], Paths(await ReportedAsync(stand, 1)));
        Assert.Single(await stand.RowsAsync());
    }

    [Fact]
    public async Task A_load_whose_answer_was_lost_counts_once_and_is_still_reported()
    {
        await using var stand = await LoaderStand.StartAsync();
        stand.Aws.Put(LoaderStand.Prefix + "a.json", "{\"a\":1}\n"u8.ToArray());
        await stand.Emulator.FaultAsync("""{"kind":"lost_reply","endpoint":"load"}""");

        await InsertAsync(stand, "a.json\n");

        Assert.Equal(["a.json"], Paths(await ReportedAsync(stand, 1)));
        Assert.Single(await stand.RowsAsync());
    }

    [Theory]
    [InlineData("application/json", "", "must be {")]
    [InlineData("application/json", "{\"files\":[]}", "names no file")]
    [InlineData("application/json", "{\"files\":[{\"size\":3}]}", "must be {")]
    [InlineData("application/json", "{\"files\":[{\"path\":7}]}", "must be {")]
    [InlineData("application/json", "[", "must be {")]
    [InlineData("text/plain", "\n\n", "names no file")]
    [InlineData("application/xml", "<a/>", "Content-Type")]
    public async Task A_body_that_is_not_understood_is_a_400(string type, string body, string told)
    {
        await using var stand = await LoaderStand.StartAsync();

        AssertRefused(await PostAsync(stand, Root + "insertFiles", body, type), HttpStatusCode.BadRequest, told);
    }

    [Theory]
    [InlineData(5000, 10, true)]
    [InlineData(5001, 10, false)]
    [InlineData(1, 1024, true)]
    [InlineData(1, 1025, false)]
    public async Task Limits_hold_to_the_file_and_the_byte(int files, int bytes, bool isAllowed)
    {
        await using var stand = await LoaderStand.StartAsync();
        // Two bytes a letter: bytes count, not characters.
        var body = string.Join(
            '\n',
            Enumerable.Range(0, files).Select(i => new string('ä', (bytes - 6) / 2) + (bytes % 2 == 1 ? "-" : "") + $"{i:D6}")
        );

        // A disk that refuses keeps the files from being fetched one by one.
        await stand.Emulator.FaultAsync("""{"kind":"abort","endpoint":"fetch","seconds":"1h"}""");
        var answer = await PostAsync(stand, Root + "insertFiles", body, "text/plain");

        if (isAllowed)
            Assert.Equal(HttpStatusCode.OK, answer.Status);
        else
            AssertRefused(answer, HttpStatusCode.BadRequest, files > 5000 ? "5000 are allowed" : "1024 bytes");
    }

    [Theory]
    [InlineData("DEMO.DEMO.NO_PIPE")]
    [InlineData("demo.demo.inverter_pipe")]
    [InlineData("INVERTER_PIPE")]
    [InlineData("DEMO.DEMO.THERMAL_SENSOR_PIPE")]
    public async Task A_pipe_that_is_not_named_exactly_is_a_404(string pipe)
    {
        await using var stand = await LoaderStand.StartAsync();

        foreach (var call in (string[])["insertReport", "loadHistoryScan?startTimeInclusive=2026-11-20T10:00:00Z"])
            AssertRefused(await stand.Emulator.GetAsync($"/v1/data/pipes/{pipe}/{call}"), HttpStatusCode.NotFound, "does not exist");
        AssertRefused(
            await PostAsync(stand, $"/v1/data/pipes/{pipe}/insertFiles", "a.json", "text/plain"),
            HttpStatusCode.NotFound,
            "does not exist"
        );
    }

    [Fact]
    public async Task A_quoted_name_finds_the_same_pipe()
    {
        await using var stand = await LoaderStand.StartAsync();

        var answer = await stand.Emulator.GetAsync("/v1/data/pipes/%22DEMO%22.%22DEMO%22.%22INVERTER_PIPE%22/insertReport");

        Assert.Equal(HttpStatusCode.OK, answer.Status);
    }

    [Fact]
    public async Task Without_a_token_or_with_a_wrong_one_each_call_is_a_401()
    {
        await using var stand = await LoaderStand.StartAsync();

        foreach (var token in (string?[])[null, stand.Emulator.Jwt(claims => claims["exp"] = 1)])
        {
            foreach (
                var (method, call) in (
                    ((HttpMethod, string)[])
                        [(HttpMethod.Post, "insertFiles"), (HttpMethod.Get, "insertReport"), (HttpMethod.Get, "loadHistoryScan")]
                )
            )
            {
                var answer = await stand.Emulator.SendAsync(
                    method,
                    Root + call,
                    prepare: request =>
                    {
                        request.Headers.Remove("Authorization");
                        if (token is not null)
                            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
                    }
                );
                Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
                Assert.False((bool)answer.Json["success"]!);
            }
        }
    }

    [Theory]
    [InlineData("", "is needed")]
    [InlineData("?startTimeInclusive=yesterday", "ISO 8601")]
    [InlineData("?startTimeInclusive=2026-11-20T10:00:00Z&endTimeExclusive=2026-11-20T09:59:59Z", "before")]
    public async Task A_range_that_is_none_is_a_400(string query, string told)
    {
        await using var stand = await LoaderStand.StartAsync();

        AssertRefused(await stand.Emulator.GetAsync(Root + "loadHistoryScan" + query), HttpStatusCode.BadRequest, told);
    }

    [Fact]
    public async Task The_history_includes_its_start_and_not_its_end()
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(start);
        await using var stand = await LoaderStand.StartAsync(clock: clock);
        foreach (var name in (string[])["a", "b", "c"])
        {
            await stand.LoadAsync($"{name}.json", "{\"a\":1}\n");
            clock.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(["b.json"], Paths(await HistoryAsync(stand, "2026-11-20T10:01:00Z", "2026-11-20T10:02:00Z")));
        Assert.Equal(["b.json", "c.json"], Paths(await HistoryAsync(stand, "2026-11-20T10:01:00.000Z")));
        Assert.Equal(["c.json"], Paths(await HistoryAsync(stand, "2026-11-20T11:01:00.001+01:00")));
        var all = await HistoryAsync(stand, "2026-11-20T00:00:00Z");
        Assert.Equal("2026-11-20T10:00:00.000Z", (string?)all["rangeStartTime"]);
        Assert.Equal("2026-11-20T10:02:00.000Z", (string?)all["rangeEndTime"]);
        Assert.Equal("2026-11-20T10:03:00.000Z", (string?)all["endTimeExclusive"]);
    }

    [Fact]
    public async Task A_report_goes_on_from_its_mark_and_looks_back_ten_minutes()
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(start);
        await using var stand = await LoaderStand.StartAsync(clock: clock);
        foreach (var name in (string[])["a.json", "b.json", "c.json"])
            stand.Aws.Put(LoaderStand.Prefix + name, "{\"a\":1}\n"u8.ToArray());

        await InsertAsync(stand, "a.json\n");
        var first = await ReportedAsync(stand, 1);
        clock.Advance(TimeSpan.FromMinutes(2));
        await InsertAsync(stand, "b.json\n");
        await ReportedAsync(stand, 2);
        var next = await ReportAsync(stand, $"?beginMark={first["nextBeginMark"]}");
        clock.Advance(TimeSpan.FromMinutes(9));

        Assert.Equal(["b.json"], Paths(next));
        Assert.Empty(Paths(await ReportAsync(stand, $"?beginMark={next["nextBeginMark"]}")));
        // The first is older than ten minutes by now.
        Assert.Equal(["b.json"], Paths(await ReportAsync(stand)));
        Assert.True((bool)(await ReportAsync(stand))["completeResult"]!);
        Assert.Empty(Paths(await ReportAsync(stand, "?recentSeconds=60")));
        // Since the mark before everything an event was missed.
        var missed = await ReportAsync(stand, "?beginMark=1_0");
        Assert.Equal(["b.json"], Paths(missed));
        Assert.False((bool)missed["completeResult"]!);
        Assert.Equal(["b.json"], Paths(await ReportAsync(stand, "?beginMark=nonsense")));
        AssertRefused(await stand.Emulator.GetAsync(Root + "insertReport?recentSeconds=x"), HttpStatusCode.BadRequest, "recentSeconds");
    }

    [Fact]
    public async Task At_most_10000_files_are_told_and_the_rest_follows_from_rangeEndTime()
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(start);
        await using var stand = await LoaderStand.StartAsync(clock: clock);
        await stand.LoadAsync("first.json", "{\"a\":1}\n");
        // Rows of a history are what counts here, not how they came into it.
        await using (var database = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={StoreFile(stand)}"))
        {
            await database.OpenAsync();
            await using var insert = database.CreateCommand();
            insert.CommandText = """
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10004)
                INSERT INTO loads (pipe, path, stage_location, status, received_ms, loaded_ms, size, uncompressed_size, rows_parsed,
                    rows_loaded, errors, error_limit, content_key)
                SELECT pipe, 'more-' || i, stage_location, status, received_ms, loaded_ms + i, 0, 0, 0, 0, 0, 1, 'x' FROM loads, n
                """;
            await insert.ExecuteNonQueryAsync();
        }
        clock.Advance(TimeSpan.FromMinutes(1));

        var first = await HistoryAsync(stand, "2026-11-20T10:00:00Z");
        var rest = await HistoryAsync(stand, (string)first["rangeEndTime"]!);

        Assert.False((bool)first["completeResult"]!);
        Assert.True((bool)rest["completeResult"]!);
        Assert.Equal(10_000, Paths(first).Length);
        Assert.Equal(10_005, Paths(first).Concat(Paths(rest)).Distinct().Count());
    }

    [Theory]
    [InlineData("insert_files", 429)]
    [InlineData("insert_report", 500)]
    [InlineData("load_history", 429)]
    public async Task Too_many_calls_and_troubles_can_be_planned_for_one_pipe(string endpoint, int status)
    {
        await using var stand = await LoaderStand.StartAsync();
        await stand.Emulator.FaultAsync(
            $$"""{"kind":"status","endpoint":"{{endpoint}}","status":{{status}},"channel":"*.INVERTER_PIPE","retry_after":"7"}"""
        );
        Task<Answer> CallAsync() =>
            endpoint switch
            {
                "insert_files" => PostAsync(stand, Root + "insertFiles", "a.json", "text/plain"),
                "insert_report" => stand.Emulator.GetAsync(Root + "insertReport"),
                _ => stand.Emulator.GetAsync(Root + "loadHistoryScan?startTimeInclusive=2026-11-20T10:00:00Z"),
            };

        var refused = await CallAsync();
        var next = await CallAsync();

        Assert.Equal(status, (int)refused.Status);
        Assert.False((bool)refused.Json["success"]!);
        Assert.Equal("7", refused.Message.Headers.RetryAfter?.ToString());
        Assert.Equal(HttpStatusCode.OK, next.Status);
    }

    [Fact]
    public async Task Without_a_bucket_no_file_is_taken()
    {
        await using var emulator = await Emulator.StartAsync(settings => settings.Bucket = FakeAws.Bucket, sql: LoaderStand.Sql);

        var answer = await emulator.SendAsync(HttpMethod.Post, Root + "insertFiles", Emulator.Text("a.json", "text/plain"));

        AssertRefused(answer, HttpStatusCode.BadRequest, "SQS_QUEUE");
    }

    static string StoreFile(LoaderStand stand) => Path.Combine(stand.Emulator.DataDirectory, "tables", $"DEMO.DEMO.{LoaderStand.Table}.db");

    static Task<Answer> PostAsync(LoaderStand stand, string path, string body, string type)
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        return stand.Emulator.SendAsync(HttpMethod.Post, path, content);
    }

    static async Task<JsonNode> InsertAsync(LoaderStand stand, string body, string type = "text/plain", string query = "")
    {
        var answer = await PostAsync(stand, $"{Root}insertFiles?{query}", body, type);
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        return answer.Json;
    }

    static async Task<JsonNode> ReportAsync(LoaderStand stand, string query = "")
    {
        var answer = await stand.Emulator.GetAsync(Root + "insertReport" + query);
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        return answer.Json;
    }

    /// <summary>Waits until the report tells of so many files.</summary>
    static async Task<JsonNode> ReportedAsync(LoaderStand stand, int files)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (true)
        {
            var report = await ReportAsync(stand);
            if (Paths(report).Length >= files)
                return report;
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, limit.Token);
        }
    }

    static Task<JsonNode> HistoryAsync(LoaderStand stand) => HistoryAsync(stand, "2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z");

    static async Task<JsonNode> HistoryAsync(LoaderStand stand, string from, string? to = null)
    {
        var query = $"loadHistoryScan?startTimeInclusive={Uri.EscapeDataString(from)}" + (to is null ? "" : $"&endTimeExclusive={to}");
        var answer = await stand.Emulator.GetAsync(Root + query);
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        return answer.Json;
    }

    static string[] Paths(JsonNode report) => [.. report["files"]!.AsArray().Select(file => (string)file!["path"]!)];

    static void AssertRefused(Answer answer, HttpStatusCode status, string told)
    {
        Assert.Equal(status, answer.Status);
        Assert.False((bool)answer.Json["success"]!);
        Assert.Contains(told, (string)answer.Json["message"]!, StringComparison.Ordinal);
    }
}
