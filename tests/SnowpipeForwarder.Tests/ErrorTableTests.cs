using System.Net;
using ThermalStreaming.Forwarding;

namespace ThermalStreaming.SnowpipeForwarder.Tests;

/// <summary>Each error that Snowflake is known to give, in each shape, and what the forwarding loop is told to do about it.</summary>
public class ErrorTableTests
{
    [Theory]
    [InlineData(
        400,
        """{"code":"STALE_CONTINUATION_TOKEN_SEQUENCER","message":"Channel sequencer in the continuation token is stale. Please reopen the channel"}""",
        SinkFailure.Reopen
    )]
    [InlineData(400, """{"code":"ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED","message":""}""", SinkFailure.Reopen)]
    [InlineData(400, """{"code":"ERR_CHANNEL_HAS_INVALID_ROW_SEQUENCER","message":"x"}""", SinkFailure.Reopen)]
    [InlineData(400, """{"code":"ERR_CHANNEL_HAS_INVALID_CLIENT_SEQUENCER","message":"x"}""", SinkFailure.Reopen)]
    [InlineData(400, """{"code":"ERR_CHANNEL_MUST_BE_REOPENED","message":"x"}""", SinkFailure.Reopen)]
    [InlineData(400, """{"code":"ERR_CHANNEL_MUST_BE_REOPENED_DUE_TO_ROW_SEQ_GAP","message":"x"}""", SinkFailure.Reopen)]
    [InlineData(400, """{"code":"ERR_CHANNEL_NO_LONGER_EXISTS"}""", SinkFailure.Reopen)]
    [InlineData(400, """{"code":"STALE_PIPE_CACHE"}""", SinkFailure.Reopen)]
    [InlineData(400, """{"status_code":4,"message":"stale"}""", SinkFailure.Reopen)]
    [InlineData(404, "", SinkFailure.Reopen)]
    [InlineData(409, "", SinkFailure.Reopen)]
    [InlineData(409, """{"code":"SUPERSEDED","message":"x"}""", SinkFailure.Reopen)]
    [InlineData(410, "Gone", SinkFailure.Reopen)]
    // An ordinary row alone: what is in the way is at fault.
    [InlineData(413, "", SinkFailure.NeedsOperator)]
    [InlineData(409, """{"code":"ERR_CHANNEL_HAS_UNCOMMITTED_DATA","message":"x"}""", SinkFailure.Transient)]
    [InlineData(409, """{"code":"ERR_OPEN_CHANNEL_IN_PROGRESS","message":"x"}""", SinkFailure.Transient)]
    [InlineData(408, "", SinkFailure.Transient)]
    [InlineData(429, "", SinkFailure.Transient)]
    [InlineData(499, "", SinkFailure.Transient)]
    [InlineData(500, """{"code":"ERR_GENERAL_EXCEPTION_RETRY_REQUEST","message":"x"}""", SinkFailure.Transient)]
    [InlineData(500, "", SinkFailure.Transient)]
    [InlineData(502, "<html>bad gateway</html>", SinkFailure.Transient)]
    [InlineData(503, "\"ERR_GENERAL_EXCEPTION_RETRY_REQUEST\"", SinkFailure.Transient)]
    [InlineData(503, "ERR_GENERAL_EXCEPTION_RETRY_REQUEST", SinkFailure.Transient)]
    [InlineData(504, "", SinkFailure.Transient)]
    [InlineData(400, """{"code":"NEVER_SEEN_BEFORE"}""", SinkFailure.Transient)]
    [InlineData(418, "teapot", SinkFailure.Transient)]
    [InlineData(302, "", SinkFailure.Transient)]
    [InlineData(200, "not json", SinkFailure.Transient)]
    [InlineData(200, """{"message":"no token"}""", SinkFailure.Transient)]
    [InlineData(200, """{"status_code":4,"message":"stale"}""", SinkFailure.Reopen)]
    [InlineData(200, """{"next_continuation_token":"1_2","status_code":4,"message":"stale"}""", SinkFailure.Reopen)]
    [InlineData(200, """{"next_continuation_token":"1_2","status_code":1,"message":"try again"}""", SinkFailure.Transient)]
    [InlineData(200, """{"next_continuation_token":"1_2","status_code":"5"}""", SinkFailure.Transient)]
    [InlineData(200, """{"next_continuation_token":"1_2","status_code":2,"message":"no"}""", SinkFailure.NeedsOperator)]
    [InlineData(200, """{"next_continuation_token":"1_2","code":"ERR_CHANNEL_MUST_BE_REOPENED"}""", SinkFailure.Reopen)]
    // The token that was sent.
    [InlineData(200, """{"next_continuation_token":"1_1","status_code":0}""", SinkFailure.Reopen)]
    [InlineData(0, "", SinkFailure.Transient)]
    [InlineData(403, "", SinkFailure.NeedsOperator)]
    [InlineData(405, "", SinkFailure.NeedsOperator)]
    [InlineData(406, """{"code":"391902","message":"Unsupported Accept header null is specified."}""", SinkFailure.NeedsOperator)]
    [InlineData(409, """{"code":"ERR_PIPE_IN_INVALID_STATE","message":"x"}""", SinkFailure.NeedsOperator)]
    [InlineData(404, """{"error_code":"ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED","message":"x"}""", SinkFailure.NeedsOperator)]
    [InlineData(400, """{"code":"ERR_ROLE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED"}""", SinkFailure.NeedsOperator)]
    [InlineData(400, """{"code":"ERR_DATABASE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED"}""", SinkFailure.NeedsOperator)]
    [InlineData(404, """{"code":"ERR_SCHEMA_DOES_NOT_EXIST_OR_NOT_AUTHORIZED"}""", SinkFailure.NeedsOperator)]
    [InlineData(400, """{"code":"ERR_TABLE_DOES_NOT_EXIST_NOT_AUTHORIZED"}""", SinkFailure.NeedsOperator)]
    public async Task An_append_that_fails_with(int status, string body, SinkFailure expected)
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        // 403 is asked for once more, with a new token.
        fixture.Server.Next("append", [.. Enumerable.Repeat(new Script(status, body), status == 403 ? 2 : 1)]);

        var failure = await fixture.SendFailsAsync(fixture.Batch(0, 1));

        Assert.Equal(expected, failure.Failure);
        Assert.DoesNotContain('\n', failure.Message);
    }

    [Theory]
    [InlineData("status", 404, "", SinkFailure.NeedsOperator)]
    [InlineData("status", 404, """{"error_code":"ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED","message":"x"}""", SinkFailure.NeedsOperator)]
    [InlineData("status", 503, "", SinkFailure.Transient)]
    [InlineData("open", 404, "", SinkFailure.NeedsOperator)]
    [InlineData("open", 409, """{"code":"ERR_OPEN_CHANNEL_IN_PROGRESS"}""", SinkFailure.Transient)]
    [InlineData("open", 429, "", SinkFailure.Transient)]
    [InlineData("open", 410, "", SinkFailure.Reopen)]
    [InlineData("open", 200, """{"channel_status":{"channel_status_code":"SUCCESS"}}""", SinkFailure.Transient)]
    [InlineData("open", 200, """{"next_continuation_token":"0_1"}""", SinkFailure.Transient)]
    [InlineData(
        "open",
        200,
        """{"next_continuation_token":"1_1","channel_status":{"channel_status_code":"SUCCESS"},"status_code":5}""",
        SinkFailure.Transient
    )]
    [InlineData(
        "open",
        200,
        """{"next_continuation_token":"1_1","channel_status":{"channel_status_code":"SUCCESS","status_code":5}}""",
        SinkFailure.Reopen
    )]
    [InlineData(
        "open",
        200,
        """{"next_continuation_token":"1_1","channel_status":{"channel_status_code":"SUCCESS","status_code":2}}""",
        SinkFailure.NeedsOperator
    )]
    [InlineData("status", 200, """{"channel_statuses":{},"status_code":2}""", SinkFailure.NeedsOperator)]
    [InlineData("hostname", 500, "", SinkFailure.Transient)]
    [InlineData("hostname", 404, "", SinkFailure.NeedsOperator)]
    [InlineData("hostname", 200, "<html>sign in to the hotel's network</html>", SinkFailure.Transient)]
    [InlineData("hostname", 403, "", SinkFailure.NeedsOperator)]
    [InlineData("token", 403, "", SinkFailure.NeedsOperator)]
    [InlineData("token", 503, "", SinkFailure.Transient)]
    [InlineData("token", 200, "", SinkFailure.Transient)]
    public async Task An_open_that_fails_at(string kind, int status, string body, SinkFailure expected)
    {
        await using var fixture = await SinkFixture.StartAsync();
        fixture.Server.Next(kind, new Script(status, body));

        var failure = await fixture.OpenFailsAsync();

        Assert.Equal(expected, failure.Failure);
    }

    [Theory]
    [InlineData("""<html>sign in to the hotel's network</html>""", SinkFailure.Transient)]
    [InlineData("", SinkFailure.Transient)]
    [InlineData("[]", SinkFailure.Transient)]
    [InlineData("""{"status_code":1}""", SinkFailure.Transient)]
    [InlineData("""{"status_code":2}""", SinkFailure.NeedsOperator)]
    [InlineData("{}", SinkFailure.Transient)]
    [InlineData("""{"message":"Welcome"}""", SinkFailure.Transient)]
    [InlineData("""{"status":"ok"}""", SinkFailure.Transient)]
    [InlineData("""{"code":"ERR_TABLE_DOES_NOT_EXIST_NOT_AUTHORIZED"}""", SinkFailure.NeedsOperator)]
    [InlineData("""{"error_code":"ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED"}""", SinkFailure.NeedsOperator)]
    public async Task A_200_of_the_elastic_channel_is_no_commit_when_its_body_is(string body, SinkFailure expected)
    {
        await using var fixture = await SinkFixture.StartAsync(("SNOWFLAKE_INGESTION", "Elastic"));
        await fixture.OpenAsync();
        fixture.Server.Next("elastic", new Script(200, body));

        var failure = await fixture.SendFailsAsync(fixture.Batch(0, 1));

        Assert.Equal(expected, failure.Failure);
    }

    [Theory]
    [InlineData("""{"message":"OK"}""")]
    [InlineData("""{"message":"OK","status_code":0}""")]
    [InlineData("""{"next_continuation_token":"0_1"}""")]
    [InlineData("""{"message":"OK","next_continuation_token":"0_1"}""")]
    public async Task A_200_of_the_elastic_channel_is_a_commit_when_its_body_is(string body)
    {
        await using var fixture = await SinkFixture.StartAsync(("SNOWFLAKE_INGESTION", "Elastic"));
        await fixture.OpenAsync();
        fixture.Server.Next("elastic", new Script(200, body));

        await fixture.SendAsync(fixture.Batch(0, 1));

        Assert.Equal(1, (await fixture.PollAsync()).Offset);
    }

    [Theory]
    [InlineData(302, "")]
    [InlineData(200, "<!DOCTYPE html><title>Welcome</title>")]
    [InlineData(403, "<html>blocked</html>")]
    [InlineData(511, "")]
    public void What_somebody_else_answers_in_Snowflakes_place_is_explained(int status, string body) =>
        Assert.Contains(
            "captive portal",
            SnowflakeExplanations.Explain(SnowflakeError.Parse("try", (HttpStatusCode)status, body, null)).Cause
        );

    [Theory]
    [InlineData("390144")]
    [InlineData("394300")]
    [InlineData("394301")]
    [InlineData("394302")]
    [InlineData("394303")]
    [InlineData("394304")]
    [InlineData("394305")]
    [InlineData("394306")]
    [InlineData("394307")]
    public async Task A_refused_sign_in_is_tried_once_more_and_then_explained(string code)
    {
        await using var fixture = await SinkFixture.StartAsync();
        var script = new Script(401, $$"""{"code":"{{code}}","message":"JWT token is invalid. [uuid]"}""");
        fixture.Server.Next("token", script, script);

        var failure = await fixture.OpenFailsAsync();

        Assert.Equal(SinkFailure.NeedsOperator, failure.Failure);
        Assert.Equal(2, fixture.Server.Of("token").Count());
        Assert.Contains(SnowflakeExplanations.ByCode[code].Cause, failure.Message);
        Assert.Contains(SnowflakeExplanations.ByCode[code].For(fixture.Options().Names).Fix, failure.Message);
    }

    [Theory]
    [InlineData(503, "", "status.snowflake.com")]
    [InlineData(409, "", "two forwarders share a channel")]
    [InlineData(410, "", "The pipe has moved")]
    [InlineData(302, "", "captive portal")]
    [InlineData(0, "", "Check the network, DNS and firewall")]
    public async Task A_failure_that_may_heal_by_itself_is_explained_too(int status, string body, string expected)
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        fixture.Server.Next("append", new Script(status, body));

        var failure = await fixture.SendFailsAsync(fixture.Batch(0, 1));

        Assert.Contains(expected, failure.Message);
    }

    [Fact]
    public async Task A_host_that_does_not_answer_is_transient_and_is_discovered_again()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        fixture.Server.Next("append", new Script(0));
        var batch = fixture.Batch(0, 1);

        var failure = await fixture.SendFailsAsync(batch);
        await fixture.SendAsync(batch);

        Assert.Equal(SinkFailure.Transient, failure.Failure);
        Assert.Equal(2, fixture.Server.Of("hostname").Count());
        Assert.Single(fixture.Server.Of("open"));
    }

    [Fact]
    public void Every_code_and_every_status_has_a_cause_and_a_fix()
    {
        var all = SnowflakeExplanations.ByCode.Values.Concat(
            new HttpStatusCode?[] { null }
                .Concat(Enumerable.Range(400, 200).Select(status => (HttpStatusCode?)status))
                .Select(SnowflakeExplanations.Explain)
        );

        Assert.All(all, explanation => Assert.True(explanation.Cause.EndsWith('.') && explanation.Fix.Length > 10, explanation.ToString()));
    }

    [Theory]
    [InlineData("""{"code":"A_CODE","message":"text"}""", "A_CODE", "text")]
    [InlineData("""{"error_code":"A_CODE","message":"text"}""", "A_CODE", "text")]
    [InlineData("""{"code":390144,"message":"text"}""", "390144", "text")]
    [InlineData("""{"status_code":12,"message":"text"}""", "12", "text")]
    [InlineData("\"ERR_GENERAL_EXCEPTION_RETRY_REQUEST\"", "ERR_GENERAL_EXCEPTION_RETRY_REQUEST", "")]
    [InlineData("\"some words\"", "", "some words")]
    [InlineData("Gone", "", "Gone")]
    [InlineData("", "", "")]
    [InlineData("[1,2]", "", "[1,2]")]
    [InlineData("""{"code":{"a":1},"message":["x"]}""", "", """{"code":{"a":1},"message":["x"]}""")]
    [InlineData("""{"errors":[{"reason":"quota"}]}""", "", """{"errors":[{"reason":"quota"}]}""")]
    [InlineData("""{"error":{"code":"A_CODE","message":"text"}}""", "A_CODE", "text")]
    [InlineData("""{"error":"invalid_scope","error_description":"no such role"}""", "invalid_scope", "no such role")]
    [InlineData("""{"error":"Something broke","path":"/x"}""", "", "Something broke")]
    [InlineData("""{"code":"A_CODE","message":"text","error":"More to it"}""", "A_CODE", "More to it: text")]
    [InlineData("""{"errorCode":"A_CODE","errorMessage":"text"}""", "A_CODE", "text")]
    [InlineData("{}", "", "")]
    [InlineData(
        "\n<!DOCTYPE html><html><head><title>Blocked &amp; logged</title><style>b{}</style></head><body><b>by</b> policy 7</body></html>",
        "",
        "an HTML page, \"Blocked & logged by policy 7\""
    )]
    [InlineData("two\nlines\u001b[31m", "", "two lines[31m")]
    public void Every_shape_of_error_body_is_read(string body, string code, string text)
    {
        var error = SnowflakeError.Parse("try", HttpStatusCode.BadRequest, body, null);

        Assert.Equal(code, error.Code);
        Assert.Equal(text, error.Text);
    }
}
