using System.Net;

namespace ThermalStreaming.SnowflakeEmulator.Tests;

/// <summary>Faults on request: each for the next calls or a span of time, by endpoint and channel.</summary>
public class FaultTests
{
    static string Row(string uuid) => Emulator.Row(uuid);

    [Theory]
    [InlineData("""{"status":429}""", 429, """{"code":"ERR_TOO_MANY_REQUESTS","message":"Injected by /emulator/faults"}""")]
    [InlineData("""{"status":500}""", 500, "\"ERR_GENERAL_EXCEPTION_RETRY_REQUEST\"")]
    [InlineData("""{"status":503}""", 503, "\"ERR_GENERAL_EXCEPTION_RETRY_REQUEST\"")]
    [InlineData("""{"status":503,"code":"ERR_X"}""", 503, "\"ERR_X\"")]
    [InlineData("""{"status":403}""", 403, """{"code":"ERR_FORBIDDEN","message":"Injected by /emulator/faults"}""")]
    [InlineData(
        """{"status":404}""",
        404,
        """{"error_code":"ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED","message":"Injected by /emulator/faults"}"""
    )]
    [InlineData("""{"status":408}""", 408, "")]
    [InlineData("""{"status":409}""", 409, """{"code":"ERR_OPEN_CHANNEL_IN_PROGRESS","message":"Injected by /emulator/faults"}""")]
    [InlineData(
        """{"status":409,"code":"ERR_PIPE_IN_INVALID_STATE","message":"m"}""",
        409,
        """{"code":"ERR_PIPE_IN_INVALID_STATE","message":"m"}"""
    )]
    [InlineData("""{"status":410}""", 410, "Gone")]
    [InlineData(
        """{"status":400}""",
        400,
        """{"code":"STALE_CONTINUATION_TOKEN_SEQUENCER","message":"Channel sequencer in the continuation token is stale. Please reopen the channel"}"""
    )]
    [InlineData("""{"status":400,"body":"{\"status_code\":4,\"message\":\"x\"}"}""", 400, """{"status_code":4,"message":"x"}""")]
    [InlineData("""{"status":502,"body":"<html>bad gateway</html>"}""", 502, "<html>bad gateway</html>")]
    public async Task A_status_is_answered_once_in_the_shape_it_was_seen_with_and_nothing_is_applied(string fault, int status, string body)
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();
        await emulator.FaultAsync(fault);

        var hit = await emulator.AppendAsync("0_1", "1", Row("a"));
        var next = await emulator.AppendAsync("0_1", "1", Row("b"));

        Assert.Equal(status, (int)hit.Status);
        Assert.Equal(body, hit.Body);
        Assert.Equal("0_2", next.Next);
        Assert.Equal("b", await emulator.UuidsAsync());
    }

    [Fact]
    public async Task A_401_may_come_in_mid_stream()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();
        await emulator.FaultAsync("""{"endpoint":"append","status":401}""");

        var hit = await emulator.AppendAsync("0_1", "1", Row("a"));

        Assert.Equal(HttpStatusCode.Unauthorized, hit.Status);
        Assert.Equal("390318", hit.Code);
        Assert.Equal("0_2", (await emulator.AppendAsync("0_1", "1", Row("a"))).Next);
    }

    [Fact]
    public async Task A_fault_hits_its_endpoint_and_channel_only_as_often_as_it_says()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync("TH_1");
        await emulator.OpenAsync("X");
        await emulator.FaultAsync("""{"endpoint":"append","channel":"TH_*","status":503,"times":2,"skip":1}""");

        Assert.Equal(HttpStatusCode.OK, (await emulator.OpenAsync("TH_2")).Status);
        Assert.Equal(HttpStatusCode.OK, (await emulator.AppendAsync("0_1", "1", Row("a"), "X")).Status);
        Assert.Equal(HttpStatusCode.OK, (await emulator.AppendAsync("0_1", "1", Row("a"), "TH_1")).Status);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await emulator.AppendAsync("0_2", "2", Row("b"), "TH_1")).Status);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await emulator.AppendAsync("0_1", "2", Row("b"), "TH_2")).Status);
        Assert.Equal(HttpStatusCode.OK, (await emulator.AppendAsync("0_2", "2", Row("b"), "TH_1")).Status);
    }

    [Theory]
    [InlineData("hostname")]
    [InlineData("token")]
    [InlineData("open")]
    [InlineData("append")]
    [InlineData("status")]
    [InlineData("drop")]
    public async Task Every_endpoint_can_be_hit_by_itself(string endpoint)
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();
        await emulator.FaultAsync($$"""{"endpoint":"{{endpoint}}","status":500,"seconds":60}""");

        var answers = new Dictionary<string, Answer>
        {
            ["hostname"] = await emulator.GetAsync("/v2/streaming/hostname"),
            ["token"] = await emulator.ExchangeAsync(emulator.Jwt(), null, null),
            ["append"] = await emulator.AppendAsync("0_1", "1", Row("a")),
            ["open"] = await emulator.OpenAsync(),
            ["status"] = await emulator.BulkStatusAsync(Emulator.Pipe, "CH"),
            ["drop"] = await emulator.DropAsync(),
        };

        Assert.All(answers, a => Assert.Equal(a.Key == endpoint ? 500 : 200, (int)a.Value.Status));
    }

    [Fact]
    public async Task A_fault_for_a_span_of_time_ends_with_it()
    {
        var clock = Emulator.NewClock();
        await using var emulator = await Emulator.StartAsync(clock: clock);
        await emulator.FaultAsync("""{"endpoint":"open","status":503,"seconds":30,"retry_after":"5"}""");

        for (var i = 0; i < 5; i++)
            Assert.Equal("5", (await emulator.OpenAsync()).Message.Headers.RetryAfter!.ToString());
        clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(HttpStatusCode.OK, (await emulator.OpenAsync()).Status);
        Assert.Empty((await emulator.GetAsync("/emulator/faults")).Json.AsArray());
    }

    [Fact]
    public async Task A_lost_reply_leaves_the_rows_applied_and_the_same_request_gets_the_right_token()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();
        await emulator.FaultAsync("""{"kind":"lost_reply","endpoint":"append"}""");

        await Assert.ThrowsAsync<HttpRequestException>(() => emulator.AppendAsync("0_1", "1", Row("a")));
        var again = await emulator.AppendAsync("0_1", "1", Row("a"));

        Assert.Equal("0_2", again.Next);
        Assert.Equal("a", await emulator.UuidsAsync());
    }

    [Fact]
    public async Task A_refusal_is_lost_like_any_other_reply()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.FaultAsync("""{"kind":"lost_reply","endpoint":"append"}""");

        await Assert.ThrowsAsync<HttpRequestException>(() => emulator.AppendAsync("0_1", "1", Row("a"), "NOT_OPENED"));

        Assert.Equal(HttpStatusCode.BadRequest, (await emulator.AppendAsync("0_1", "1", Row("a"), "NOT_OPENED")).Status);
    }

    [Fact]
    public async Task An_aborted_request_leaves_nothing()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();
        await emulator.FaultAsync("""{"kind":"abort","endpoint":"append"}""");

        await Assert.ThrowsAsync<HttpRequestException>(() => emulator.AppendAsync("0_1", "1", Row("a")));

        Assert.Empty(await emulator.RowsAsync());
        Assert.Equal("0_2", (await emulator.AppendAsync("0_1", "1", Row("a"))).Next);
    }

    [Fact]
    public async Task A_delay_only_delays()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();
        await emulator.FaultAsync("""{"kind":"delay","endpoint":"append","delay":"300ms"}""");
        var start = TimeProvider.System.GetTimestamp();

        var answer = await emulator.AppendAsync("0_1", "1", Row("a"));

        Assert.True(TimeProvider.System.GetElapsedTime(start) >= TimeSpan.FromMilliseconds(290));
        Assert.Equal("0_2", answer.Next);
    }

    [Fact]
    public async Task An_invalid_pipe_answers_200_and_swallows_the_rows()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.FaultAsync("""{"kind":"invalid_pipe","times":3}""");

        var open = await emulator.OpenAsync();
        var append = await emulator.AppendAsync(open.Next, "1", Row("a"));
        var status = await emulator.StatusAsync();

        Assert.Equal(HttpStatusCode.OK, open.Status);
        Assert.NotEqual("SUCCESS", (string?)open.Json["channel_status"]!["channel_status_code"]);
        Assert.Equal("0_2", append.Next);
        Assert.NotEqual("SUCCESS", (string?)status["channel_status_code"]);
        Assert.Null(status["last_committed_offset_token"]);
        Assert.Empty(await emulator.RowsAsync());
        Assert.Equal("0_3", (await emulator.AppendAsync("0_2", "2", Row("b"))).Next);
        Assert.Equal("b", await emulator.UuidsAsync());
    }

    [Fact]
    public async Task An_invalidated_channel_shows_in_its_status_and_is_good_again_once_reopened()
    {
        var clock = Emulator.NewClock();
        await using var emulator = await Emulator.StartAsync(s => s.CommitDelay = TimeSpan.FromSeconds(5), clock);
        await emulator.OpenAsync();
        await emulator.OpenAsync("OTHER");
        await emulator.AppendAsync("0_1", "1", Row("a"));
        clock.Advance(TimeSpan.FromSeconds(5));
        await emulator.AppendAsync("0_2", "2", Row("b"));

        await emulator.FaultAsync("""{"kind":"invalidate","channel":"C?"}""");
        await emulator.RestartAsync();
        clock.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal("ERR_CHANNEL_MUST_BE_REOPENED", (string?)(await emulator.StatusAsync())["channel_status_code"]);
        Assert.Equal("SUCCESS", (string?)(await emulator.StatusAsync("OTHER"))["channel_status_code"]);
        var append = await emulator.AppendAsync("0_3", "3", Row("c"));
        Assert.Equal(HttpStatusCode.Conflict, append.Status);
        Assert.Equal("ERR_CHANNEL_MUST_BE_REOPENED", append.Code);
        var reopened = await emulator.OpenAsync();
        Assert.Equal("SUCCESS", (string?)reopened.Json["channel_status"]!["channel_status_code"]);
        Assert.Equal("1", (string?)reopened.Json["channel_status"]!["last_committed_offset_token"]);
        Assert.Equal("1_2", (await emulator.AppendAsync("1_1", "2", Row("b"))).Next);
    }

    [Fact]
    public async Task A_skewed_clock_shows_in_the_Date_header_and_judges_tokens()
    {
        var clock = Emulator.NewClock();
        await using var emulator = await Emulator.StartAsync(clock: clock);
        await emulator.FaultAsync("""{"kind":"clock_skew","skew":"-2h"}""");

        var host = await emulator.GetAsync("/v2/streaming/hostname");
        var ours = await emulator.ExchangeAsync(emulator.Jwt(), null, null);
        var theirs = await emulator.ExchangeAsync(
            emulator.Jwt(c =>
            {
                c["iat"] = (long)c["iat"]! - 7200;
                c["exp"] = (long)c["exp"]! - 7200;
            }),
            null,
            null
        );

        Assert.Equal(clock.GetUtcNow() - TimeSpan.FromHours(2), host.Message.Headers.Date);
        Assert.Equal("394302", (string?)ours.Json["login_failure_details"]!["errorCode"]);
        Assert.Equal(HttpStatusCode.OK, theirs.Status);
    }

    [Fact]
    public async Task The_host_name_can_take_another_shape()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.FaultAsync("""{"kind":"hostname","host":"MY_ACCOUNT.ingest.LOCAL"}""");

        Assert.Equal("MY_ACCOUNT.ingest.LOCAL", (await emulator.GetAsync("/v2/streaming/hostname")).Body);
        Assert.Equal("127.0.0.1", (await emulator.GetAsync("/v2/streaming/hostname")).Body);
    }

    [Fact]
    public async Task Faults_can_be_given_by_query_listed_and_cleared()
    {
        await using var emulator = await Emulator.StartAsync();

        var made = await emulator.SendAsync(HttpMethod.Post, "/emulator/faults?kind=status&status=503&endpoint=open&times=5");
        await emulator.FaultAsync("""{"kind":"delay","delay":"1ms"}""");
        var list = (await emulator.GetAsync("/emulator/faults")).Json.AsArray();
        await emulator.SendAsync(HttpMethod.Delete, $"/emulator/faults/{(int)made.Json["id"]!}");
        var rest = (await emulator.GetAsync("/emulator/faults")).Json.AsArray();
        await emulator.SendAsync(HttpMethod.Delete, "/emulator/faults");

        Assert.Equal(["status", "delay"], list.Select(f => (string?)f!["kind"]));
        Assert.Equal(["delay"], rest.Select(f => (string?)f!["kind"]));
        Assert.Empty((await emulator.GetAsync("/emulator/faults")).Json.AsArray());
    }

    [Theory]
    [InlineData("""{"kind":"earthquake"}""", "earthquake")]
    [InlineData("""{"kind":"status"}""", "status is needed")]
    [InlineData("""{"status":99}""", "99")]
    [InlineData("""{"status":503,"endpoint":"nowhere"}""", "nowhere")]
    [InlineData("""{"status":503,"colour":"red"}""", "colour")]
    [InlineData("""{"kind":"delay"}""", "delay")]
    [InlineData("""{"kind":"hostname"}""", "host is needed")]
    [InlineData("""[]""", "object")]
    public async Task A_fault_that_makes_no_sense_is_refused_with_a_reason(string fault, string reason)
    {
        await using var emulator = await Emulator.StartAsync();

        var answer = await emulator.SendAsync(HttpMethod.Post, "/emulator/faults", Emulator.Text(fault, "application/json"));

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Contains(reason, (string?)answer.Json["message"], StringComparison.Ordinal);
    }
}
