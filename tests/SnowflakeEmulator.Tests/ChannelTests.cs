using System.Net;

namespace ThermalStreaming.SnowflakeEmulator.Tests;

/// <summary>Channels: status, drop, and how names are compared.</summary>
public sealed class ChannelTests
{
    static string Row(string uuid) => Emulator.Row(uuid);

    [Fact]
    public async Task A_new_channel_has_status_SUCCESS_and_no_offset_token()
    {
        var clock = Emulator.NewClock();
        await using var emulator = await Emulator.StartAsync(clock: clock);

        var status = (await emulator.OpenAsync()).Json["channel_status"]!;

        Assert.Equal("DEMO", (string?)status["database_name"]);
        Assert.Equal("DEMO", (string?)status["schema_name"]);
        Assert.Equal("THERMAL_SENSOR_PIPE", (string?)status["pipe_name"]);
        Assert.Equal("CH", (string?)status["channel_name"]);
        Assert.Equal("SUCCESS", (string?)status["channel_status_code"]);
        Assert.Null(status["last_committed_offset_token"]);
        Assert.Equal(clock.GetUtcNow().ToUnixTimeMilliseconds(), (long)status["created_on_ms"]!);
        Assert.Equal(0, (int)status["rows_inserted"]!);
        Assert.Equal(0, (int)status["rows_error_count"]!);
    }

    [Fact]
    public async Task Counters_add_up_over_commits_and_survive_a_reopen()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();
        await emulator.AppendAsync("0_1", "1", Row("a") + "broken\n" + Row("b"));
        var reopened = await emulator.OpenAsync();
        await emulator.AppendAsync(reopened.Next, "2", Row("c") + "broken\n");

        var status = await emulator.StatusAsync();

        Assert.Equal(1, (int)reopened.Json["channel_status"]!["rows_error_count"]!);
        Assert.Equal(3, (int)status["rows_inserted"]!);
        Assert.Equal(5, (int)status["rows_parsed"]!);
        Assert.Equal(2, (int)status["rows_error_count"]!);
        Assert.Equal(2, (int)status["rows_errors"]!);
        Assert.Equal("2", (string?)status["last_error_offset_upper_bound"]);
        Assert.NotNull(status["last_error_message"]);
        Assert.NotNull(status["last_error_timestamp"]);
    }

    [Fact]
    public async Task Bulk_status_compares_names_exactly_and_leaves_out_what_it_does_not_know()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync("One");
        await emulator.OpenAsync("TWO");

        var statuses = await emulator.StatusesAsync("One", "ONE", "two", "TWO", "three");

        Assert.Equal(["One", "TWO"], statuses.Select(s => s.Key));
    }

    [Theory]
    [InlineData("demo", "Demo", "thermal_sensor_pipe")]
    [InlineData("%22DEMO%22", "%22DEMO%22", "%22THERMAL_SENSOR_PIPE%22")]
    public async Task Names_in_the_path_are_compared_without_case_unless_quoted(string database, string schema, string pipe)
    {
        await using var emulator = await Emulator.StartAsync();
        var path = $"databases/{database}/schemas/{schema}/pipes/{pipe}";
        await emulator.OpenAsync("Ch", pipe: "/v2/streaming/" + path);

        var append = await emulator.AppendAsync("0_1", "1", Row("a"), "cH", "/v2/streaming/data/" + path);
        var status = await emulator.BulkStatusAsync("/v2/streaming/" + path, "Ch");

        Assert.Equal("0_2", append.Next);
        Assert.Equal("1", (string?)status.Json["channel_statuses"]!["Ch"]!["last_committed_offset_token"]);
    }

    [Theory]
    [InlineData("NOPE", "DEMO", "THERMAL_SENSOR_PIPE", "ERR_DATABASE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED")]
    [InlineData("DEMO", "NOPE", "THERMAL_SENSOR_PIPE", "ERR_SCHEMA_DOES_NOT_EXIST_OR_NOT_AUTHORIZED")]
    [InlineData("DEMO", "DEMO", "NOPE", "ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED")]
    [InlineData("DEMO", "DEMO", "%22thermal_sensor_pipe%22", "ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED")]
    public async Task An_object_that_does_not_exist_is_404_everywhere(string database, string schema, string pipe, string code)
    {
        await using var emulator = await Emulator.StartAsync();
        var path = $"databases/{database}/schemas/{schema}/pipes/{pipe}";

        foreach (
            var answer in new[]
            {
                await emulator.OpenAsync(pipe: "/v2/streaming/" + path),
                await emulator.AppendAsync("0_1", "1", Row("a"), data: "/v2/streaming/data/" + path),
                await emulator.BulkStatusAsync("/v2/streaming/" + path, "CH"),
            }
        )
        {
            Assert.Equal(HttpStatusCode.NotFound, answer.Status);
            Assert.Equal(code, answer.Code);
        }
    }

    [Fact]
    public async Task A_missing_pipe_is_told_in_the_error_code_form()
    {
        await using var emulator = await Emulator.StartAsync();

        var answer = await emulator.BulkStatusAsync("/v2/streaming/databases/DEMO/schemas/DEMO/pipes/NOPE", "CH");

        Assert.Equal("ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED", (string?)answer.Json["error_code"]);
        Assert.Null(answer.Json["code"]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"channel_names":"CH"}""")]
    [InlineData("""{"channel_names":[1]}""")]
    [InlineData("nonsense")]
    public async Task Bulk_status_needs_a_list_of_names(string body)
    {
        await using var emulator = await Emulator.StartAsync();

        var answer = await emulator.SendAsync(
            HttpMethod.Post,
            Emulator.Pipe + ":bulk-channel-status",
            Emulator.Text(body, "application/json")
        );

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
    }

    [Fact]
    public async Task A_dropped_channel_is_gone_with_its_buffered_rows_and_its_committed_rows_stay()
    {
        var clock = Emulator.NewClock();
        await using var emulator = await Emulator.StartAsync(s => s.CommitDelay = TimeSpan.FromSeconds(5), clock);
        await emulator.OpenAsync();
        await emulator.AppendAsync("0_1", "1", Row("a"));
        clock.Advance(TimeSpan.FromSeconds(5));
        await emulator.AppendAsync("0_2", "2", Row("b"));

        var dropped = await emulator.DropAsync();
        clock.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(HttpStatusCode.OK, dropped.Status);
        Assert.Equal("{}", dropped.Body);
        Assert.Equal("a", await emulator.UuidsAsync());
        Assert.Empty(await emulator.StatusesAsync("CH"));
        Assert.Equal("ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED", (await emulator.AppendAsync("0_3", "3", Row("c"))).Code);
        Assert.Equal(HttpStatusCode.NotFound, (await emulator.DropAsync()).Status);
        var fresh = (await emulator.OpenAsync()).Json["channel_status"]!;
        Assert.Null(fresh["last_committed_offset_token"]);
        Assert.Equal(0, (int)fresh["rows_inserted"]!);
    }

    [Fact]
    public async Task Nobody_drops_the_elastic_channel_with_what_it_has_taken()
    {
        var clock = Emulator.NewClock();
        await using var emulator = await Emulator.StartAsync(s => s.CommitDelay = TimeSpan.FromSeconds(5), clock);
        await emulator.SendAsync(
            HttpMethod.Post,
            $"{Emulator.Data}/channels/ELASTIC/rows",
            Emulator.Text(Row("a"), "application/x-ndjson")
        );

        var dropped = await emulator.DropAsync("elastic");

        clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(HttpStatusCode.BadRequest, dropped.Status);
        Assert.Equal("a", await emulator.UuidsAsync());
    }

    [Theory]
    [InlineData("PUT", "/channels/CH", """{"offset_token":"\ud83d"}""")]
    [InlineData("POST", ":bulk-channel-status", """{"channel_names":["\ud83d"]}""")]
    public async Task Half_of_a_surrogate_pair_in_a_request_is_400(string method, string path, string body)
    {
        await using var emulator = await Emulator.StartAsync();

        Assert.Equal(
            HttpStatusCode.BadRequest,
            (await emulator.SendAsync(new(method), Emulator.Pipe + path, Emulator.Text(body, "application/json"))).Status
        );
    }

    [Fact]
    public async Task A_channel_nobody_touches_for_30_days_is_deleted_with_its_offset_token()
    {
        var clock = Emulator.NewClock();
        await using var emulator = await Emulator.StartAsync(clock: clock);
        await emulator.OpenAsync();
        await emulator.AppendAsync("0_1", "1", Row("a"));

        clock.Advance(TimeSpan.FromDays(29.9));
        Assert.Equal("1", await emulator.CommittedAsync());
        clock.Advance(TimeSpan.FromDays(0.1));
        Assert.Empty(await emulator.StatusesAsync("CH"));
        Assert.Null((await emulator.OpenAsync()).Json["channel_status"]!["last_committed_offset_token"]);
    }

    [Fact]
    public async Task A_suffix_after_the_channel_is_part_of_its_name()
    {
        await using var emulator = await Emulator.StartAsync();

        var answer = await emulator.OpenAsync("X:open");

        Assert.Equal("X:open", (string?)answer.Json["channel_status"]!["channel_name"]);
        Assert.Equal(["X:open"], (await emulator.StatusesAsync("X", "X:open")).Select(s => s.Key));
    }

    [Theory]
    [InlineData("a%2Fb%20c%3Bd%25e", "a/b c;d%e")]
    [InlineData("a%252Fb%2fc", "a%2Fb/c")]
    [InlineData("a%2520b+c", "a%20b+c")]
    public async Task A_channel_name_is_decoded_once(string encoded, string name)
    {
        await using var emulator = await Emulator.StartAsync();

        var answer = await emulator.OpenAsync(encoded);

        Assert.Equal(name, (string?)answer.Json["channel_status"]!["channel_name"]);
        Assert.Equal("0_2", (await emulator.AppendAsync("0_1", "1", Row("a"), encoded)).Next);
    }

    [Theory]
    [InlineData("POST", Emulator.Pipe + "/channels/CH", 405)]
    [InlineData("GET", Emulator.Pipe + "/channels/CH", 405)]
    [InlineData("GET", Emulator.Pipe + ":bulk-channel-status", 405)]
    [InlineData("PUT", Emulator.Data + "/channels/CH/rows", 405)]
    [InlineData("POST", "/v2/streaming/hostname", 405)]
    [InlineData("GET", "/oauth/token", 405)]
    [InlineData("GET", "/v2/streaming/control", 404)]
    [InlineData("POST", "/v2/streaming/control", 404)]
    [InlineData("PUT", Emulator.Pipe, 404)]
    [InlineData("POST", Emulator.Pipe + "/channels/CH/rows", 404)]
    public async Task Wrong_shapes_are_405_or_404(string method, string path, int status)
    {
        await using var emulator = await Emulator.StartAsync();

        Assert.Equal(status, (int)(await emulator.SendAsync(new HttpMethod(method), path)).Status);
    }

    [Fact]
    public async Task Each_channel_has_a_session_of_its_own_in_its_answers()
    {
        await using var emulator = await Emulator.StartAsync();
        static string? Session(Answer answer) =>
            answer.Message.Headers.TryGetValues("x-snowflake-session", out var values) ? values.Single() : null;

        var open = Session(await emulator.OpenAsync());
        var append = Session(
            await emulator.SendAsync(
                HttpMethod.Post,
                $"{Emulator.Data}/channels/CH/rows?continuationToken=0_1&offsetToken=1",
                Emulator.Text(Row("a"), "application/x-ndjson"),
                r => r.Headers.Add("x-snowflake-session", open)
            )
        );
        var other = Session(await emulator.OpenAsync("OTHER"));

        Assert.Equal(open, append);
        Assert.NotEqual(open, other);
        Assert.Matches(@"^[0-9.]+:[0-9]+$", System.Text.Encoding.ASCII.GetString(Convert.FromBase64String(open!)));
    }
}
