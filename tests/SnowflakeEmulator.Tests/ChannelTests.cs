using System.Net;
using Microsoft.Data.Sqlite;

namespace ThermalStreaming.SnowflakeEmulator.Tests;

/// <summary>Channels: continuation tokens, commits, status, drop, and how names are compared.</summary>
public class ChannelTests
{
    static string Row(string uuid) => Emulator.Row(uuid);

    // ── Continuation tokens ─────────────────────────────────────────────────────────────────────────────────────────────────

    [Fact]
    public async Task A_fresh_channel_starts_at_0_1_and_every_append_takes_one_step()
    {
        await using var emulator = await Emulator.StartAsync();

        var open = await emulator.OpenAsync();
        var first = await emulator.AppendAsync("0_1", "1", Row("a"));
        var second = await emulator.AppendAsync(first.Next, "2", Row("b"));

        Assert.Equal(["0_1", "0_2", "0_3"], new[] { open.Next, first.Next, second.Next });
        Assert.Equal(0, (int)first.Json["status_code"]!);
        Assert.Equal("ab", await emulator.UuidsAsync());
    }

    [Fact]
    public async Task A_used_row_sequencer_is_answered_with_the_current_token_and_its_rows_are_ignored()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();
        await emulator.AppendAsync("0_1", "1", Row("a"));
        await emulator.AppendAsync("0_2", "2", Row("b"));

        var again = await emulator.AppendAsync("0_1", "9", Row("other"));

        Assert.Equal(HttpStatusCode.OK, again.Status);
        Assert.Equal("0_3", again.Next);
        Assert.Equal("ab", await emulator.UuidsAsync());
        Assert.Equal("2", await emulator.CommittedAsync());
    }

    [Fact]
    public async Task Opening_again_makes_older_tokens_stale()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();
        await emulator.AppendAsync("0_1", "1", Row("a"));

        var reopened = await emulator.OpenAsync();
        var stale = await emulator.AppendAsync("0_2", "2", Row("b"));
        var good = await emulator.AppendAsync(reopened.Next, "2", Row("c"));

        Assert.Equal("1_1", reopened.Next);
        Assert.Equal("1", (string?)reopened.Json["channel_status"]!["last_committed_offset_token"]);
        Assert.Equal(HttpStatusCode.BadRequest, stale.Status);
        Assert.Equal("STALE_CONTINUATION_TOKEN_SEQUENCER", stale.Code);
        Assert.Equal("Channel sequencer in the continuation token is stale. Please reopen the channel", (string?)stale.Json["message"]);
        Assert.Equal("1_2", good.Next);
        Assert.Equal("ac", await emulator.UuidsAsync());
    }

    [Theory]
    [InlineData("0_2")]
    [InlineData("1_1")]
    [InlineData("garbage")]
    [InlineData("")]
    [InlineData("0_1_1")]
    [InlineData("-1_1")]
    public async Task A_token_from_nowhere_is_refused_with_400(string token)
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();

        var answer = await emulator.AppendAsync(token, "1", Row("a"));

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.NotNull(answer.Code);
        Assert.Empty(await emulator.RowsAsync());
    }

    [Fact]
    public async Task An_append_without_a_token_is_refused_with_400()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();

        var answer = await emulator.SendAsync(HttpMethod.Post, $"{Emulator.Data}/channels/CH/rows?offsetToken=1", Emulator.Text(Row("a"), "application/x-ndjson"));

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
    }

    [Fact]
    public async Task An_append_to_a_channel_that_was_never_opened_is_refused_as_seen_live()
    {
        await using var emulator = await Emulator.StartAsync();

        var answer = await emulator.AppendAsync("0_1", "1", Row("a"));

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Equal("""{"code":"ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED","message":""}""", answer.Body);
    }

    [Fact]
    public async Task A_token_from_before_a_drop_stays_stale()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();
        await emulator.DropAsync();
        var fresh = await emulator.OpenAsync();

        var old = await emulator.AppendAsync("0_1", "1", Row("old"));

        Assert.Equal("STALE_CONTINUATION_TOKEN_SEQUENCER", old.Code);
        Assert.Equal(HttpStatusCode.OK, (await emulator.AppendAsync(fresh.Next, "1", Row("new"))).Status);
    }

    // ── Offset tokens and commits ───────────────────────────────────────────────────────────────────────────────────────────

    [Fact]
    public async Task Rows_and_the_offset_token_appear_together_after_the_commit_delay()
    {
        var clock = new ManualClock();
        await using var emulator = await Emulator.StartAsync(s => s.CommitDelay = TimeSpan.FromSeconds(5), clock);
        await emulator.OpenAsync();
        await emulator.AppendAsync("0_1", "1", Row("a"));
        clock.Advance(TimeSpan.FromSeconds(2));
        await emulator.AppendAsync("0_2", "2", Row("b"));

        clock.Advance(TimeSpan.FromSeconds(2.9));
        Assert.Null(await emulator.CommittedAsync());
        Assert.Equal("", await emulator.UuidsAsync());
        clock.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal("1", await emulator.CommittedAsync());
        Assert.Equal("a", await emulator.UuidsAsync());
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("2", await emulator.CommittedAsync());
        Assert.Equal("ab", await emulator.UuidsAsync());
        Assert.Equal(5000, (int)(await emulator.StatusAsync())["snowflake_avg_processing_latency_ms"]!);
    }

    [Fact]
    public async Task Rows_are_committed_in_their_time_without_anybody_asking_even_while_more_arrive()
    {
        await using var emulator = await Emulator.StartAsync(s =>
        {
            s.CommitDelay = TimeSpan.FromMilliseconds(200);
            s.Limits = false;
        });
        await emulator.OpenAsync();
        var start = TimeProvider.System.GetTimestamp();

        // Appends ask for nothing, so only the timer can have committed.
        var commits = 0L;
        using var store = new SqliteConnection($"Data Source={emulator.StoreFile};Mode=ReadOnly;Pooling=False");
        await store.OpenAsync();
        using var count = store.CreateCommand();
        count.CommandText = "SELECT COUNT(*) FROM appends WHERE first_row IS NOT NULL";
        for (var i = 1; commits == 0 && TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(20); i++)
        {
            Assert.Equal(HttpStatusCode.OK, (await emulator.AppendAsync($"0_{i}", $"{i}", Row("a"))).Status);
            commits = (long)(await count.ExecuteScalarAsync())!;
        }

        Assert.True(commits > 0);
    }

    [Theory]
    [InlineData("&offsetToken=7", "7")]
    [InlineData("&startOffsetToken=5&endOffsetToken=7", "7")]
    [InlineData("&endOffsetToken=7", "7")]
    [InlineData("&offsetToken=3&endOffsetToken=7", "7")]
    [InlineData("&offsetToken=a%20b%2Fc%3A%2B%C3%BC", "a b/c:+ü")]
    [InlineData("", null)]
    public async Task Either_form_of_offset_token_is_taken_as_it_is(string query, string? committed)
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();

        var answer = await emulator.SendAsync(HttpMethod.Post, $"{Emulator.Data}/channels/CH/rows?continuationToken=0_1{query}&requestId=8d1f1d3c-33ff-4b0f-9d8f-111111111111",
            Emulator.Text(Row("a"), "application/x-ndjson"));

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(committed, await emulator.CommittedAsync());
    }

    [Fact]
    public async Task The_server_neither_orders_nor_compares_offset_tokens()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();

        await emulator.AppendAsync("0_1", "9", Row("a"));
        await emulator.AppendAsync("0_2", "9", Row("b"));
        await emulator.AppendAsync("0_3", "2", Row("c"));

        Assert.Equal("abc", await emulator.UuidsAsync());
        Assert.Equal("2", await emulator.CommittedAsync());
    }

    [Fact]
    public async Task Opening_again_drops_rows_that_are_not_committed()
    {
        var clock = new ManualClock();
        await using var emulator = await Emulator.StartAsync(s => s.CommitDelay = TimeSpan.FromSeconds(5), clock);
        await emulator.OpenAsync();
        await emulator.AppendAsync("0_1", "1", Row("a"));
        clock.Advance(TimeSpan.FromSeconds(3));
        await emulator.AppendAsync("0_2", "2", Row("b"));
        clock.Advance(TimeSpan.FromSeconds(3));

        var reopened = await emulator.OpenAsync();
        clock.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal("1", (string?)reopened.Json["channel_status"]!["last_committed_offset_token"]);
        Assert.Equal("1", await emulator.CommittedAsync());
        Assert.Equal("a", await emulator.UuidsAsync());
    }

    [Fact]
    public async Task Fail_on_uncommitted_rows_refuses_to_open_until_they_are_committed()
    {
        var clock = new ManualClock();
        await using var emulator = await Emulator.StartAsync(s => s.CommitDelay = TimeSpan.FromSeconds(5), clock);
        await emulator.OpenAsync();
        await emulator.AppendAsync("0_1", "1", Row("a"));

        var refused = await emulator.OpenAsync(body: """{"fail_on_uncommitted_rows":true}""");
        var stillGood = await emulator.AppendAsync("0_2", "2", Row("b"));
        var noDrop = await emulator.DropAsync(body: """{"fail_on_uncommitted_rows":true}""");
        clock.Advance(TimeSpan.FromSeconds(5));
        var opened = await emulator.OpenAsync(body: """{"fail_on_uncommitted_rows":true}""");

        Assert.Equal(HttpStatusCode.Conflict, refused.Status);
        Assert.Equal("ERR_CHANNEL_HAS_UNCOMMITTED_DATA", refused.Code);
        Assert.Equal(HttpStatusCode.OK, stillGood.Status);
        Assert.Equal("ERR_CHANNEL_HAS_UNCOMMITTED_DATA", noDrop.Code);
        Assert.Equal("1_1", opened.Next);
        Assert.Equal("2", (string?)opened.Json["channel_status"]!["last_committed_offset_token"]);
        Assert.Equal("ab", await emulator.UuidsAsync());
    }

    [Fact]
    public async Task An_open_may_set_the_offset_token()
    {
        await using var emulator = await Emulator.StartAsync();

        var opened = await emulator.OpenAsync(body: """{"offset_token":"from-elsewhere"}""");

        Assert.Equal("from-elsewhere", (string?)opened.Json["channel_status"]!["last_committed_offset_token"]);
        Assert.Equal("from-elsewhere", await emulator.CommittedAsync());
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"offset_token":null,"fail_on_uncommitted_rows":false}""")]
    [InlineData("""{"write_mode":"CLOUD_STORAGE","role":"ACCOUNTADMIN"}""")]
    public async Task An_open_takes_an_empty_body_and_keys_it_does_not_know(string body)
    {
        await using var emulator = await Emulator.StartAsync();

        Assert.Equal("0_1", (await emulator.OpenAsync(body: body)).Next);
    }

    [Theory]
    [InlineData("[")]
    [InlineData("[]")]
    [InlineData("""{"offset_token":5}""")]
    [InlineData("""{"fail_on_uncommitted_rows":"yes"}""")]
    public async Task An_open_with_a_wrong_body_is_refused(string body)
    {
        await using var emulator = await Emulator.StartAsync();

        Assert.Equal(HttpStatusCode.BadRequest, (await emulator.OpenAsync(body: body)).Status);
    }

    // ── Status ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

    [Fact]
    public async Task A_new_channel_has_status_SUCCESS_and_no_offset_token()
    {
        var clock = new ManualClock();
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

        foreach (var answer in new[]
        {
            await emulator.OpenAsync(pipe: "/v2/streaming/" + path),
            await emulator.AppendAsync("0_1", "1", Row("a"), data: "/v2/streaming/data/" + path),
            await emulator.BulkStatusAsync("/v2/streaming/" + path, "CH"),
        })
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

        var answer = await emulator.SendAsync(HttpMethod.Post, Emulator.Pipe + ":bulk-channel-status", Emulator.Text(body, "application/json"));

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
    }

    // ── Drop, expiry, shapes of requests ────────────────────────────────────────────────────────────────────────────────────

    [Fact]
    public async Task A_dropped_channel_is_gone_with_its_buffered_rows_and_its_committed_rows_stay()
    {
        var clock = new ManualClock();
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
        var clock = new ManualClock();
        await using var emulator = await Emulator.StartAsync(s => s.CommitDelay = TimeSpan.FromSeconds(5), clock);
        await emulator.SendAsync(HttpMethod.Post, $"{Emulator.Data}/channels/ELASTIC/rows", Emulator.Text(Row("a"), "application/x-ndjson"));

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

        Assert.Equal(HttpStatusCode.BadRequest, (await emulator.SendAsync(new(method), Emulator.Pipe + path, Emulator.Text(body, "application/json"))).Status);
    }

    [Fact]
    public async Task A_channel_nobody_touches_for_30_days_is_deleted_with_its_offset_token()
    {
        var clock = new ManualClock();
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

    [Fact]
    public async Task A_channel_name_is_decoded_once()
    {
        await using var emulator = await Emulator.StartAsync();

        var answer = await emulator.OpenAsync("a%2Fb%20c%3Bd%25e");

        Assert.Equal("a/b c;d%e", (string?)answer.Json["channel_status"]!["channel_name"]);
        Assert.Equal("0_2", (await emulator.AppendAsync("0_1", "1", Row("a"), "a%2Fb%20c%3Bd%25e")).Next);
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
        static string? Session(Answer answer) => answer.Message.Headers.TryGetValues("x-snowflake-session", out var values) ? values.Single() : null;

        var open = Session(await emulator.OpenAsync());
        var append = Session(await emulator.SendAsync(HttpMethod.Post, $"{Emulator.Data}/channels/CH/rows?continuationToken=0_1&offsetToken=1",
            Emulator.Text(Row("a"), "application/x-ndjson"), r => r.Headers.Add("x-snowflake-session", open)));
        var other = Session(await emulator.OpenAsync("OTHER"));

        Assert.Equal(open, append);
        Assert.NotEqual(open, other);
        Assert.Matches(@"^[0-9.]+:[0-9]+$", System.Text.Encoding.ASCII.GetString(Convert.FromBase64String(open!)));
    }
}
