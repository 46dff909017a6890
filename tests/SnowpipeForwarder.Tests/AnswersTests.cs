using System.Text;
using ThermalStreaming.Forwarding;

namespace ThermalStreaming.SnowpipeForwarder.Tests;

/// <summary>
/// Proxies, captive portals and gateways answer in place of Snowflake, also with 200. Such an answer never moves the cursor, never ends
/// delivery, and is explained; the readings arrive once when Snowflake itself answers again.
/// </summary>
public class AnswersTests
{
    static readonly string[] kinds = ["hostname", "token", "status", "open", "append", "elastic"];

    static readonly Dictionary<string, Script> foreign = new()
    {
        ["a page with 200"] = new(200, "<!DOCTYPE html><html><head><title>Hotel Wi-Fi</title></head><body>Please sign in</body></html>"),
        ["a page with 403"] = new(403, "<html><body>Blocked by policy</body></html>"),
        ["a page with 401"] = new(401, "<html><body>Proxy authentication</body></html>"),
        ["200 without a body"] = new(200),
        ["200 and a word"] = new(200, "OK"),
        ["202 accepted"] = new(202, """{"next_continuation_token":"1_2","message":"OK","channel_statuses":{},"hostname":"127.0.0.1"}"""),
        ["202 without a body"] = new(202),
        ["203 from a proxy"] = new(203, """{"next_continuation_token":"1_2","message":"OK"}"""),
        ["204"] = new(204),
        ["205"] = new(205),
        ["206 a part"] = new(206, """{"next_continuation_token":"1_2","message":"OK"}"""),
        ["JSON of another service"] = new(200, """{"status":"up","message":"Welcome"}"""),
        ["a JSON array"] = new(200, "[]"),
        ["JSON null"] = new(200, "null"),
        ["JSON with fields of other types"] = new(
            200,
            """{"next_continuation_token":7,"channel_status":[],"channel_statuses":[],"hostname":{},"token":1,"message":{}}"""
        ),
        ["JSON that ends early"] = new(200, """{"next_continuation_token":"1_"""),
        ["a body that is cut off"] = new(200, """{"next_continuation_token":"1_2","message":"OK"}                """, Cut: 50),
        ["a redirect"] = new(302, "", Location: "http://login.hotel.example/?to=x"),
        ["a permanent redirect"] = new(308, "<html>moved</html>", Location: "https://elsewhere.example/"),
        ["304"] = new(304),
        ["511"] = new(511, "<html>Network authentication required</html>"),
    };

    public static TheoryData<string, string> All()
    {
        var all = new TheoryData<string, string>();
        foreach (var kind in kinds)
        {
            foreach (var answer in foreign.Keys)
                all.Add(kind, answer);
        }
        return all;
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task What_is_not_Snowflakes_answer_is_no_success(string kind, string answer)
    {
        var isElastic = kind == "elastic";
        await using var fixture = await SinkFixture.StartAsync(("SNOWFLAKE_INGESTION", isElastic ? "Elastic" : "Named"));
        // As often as the client itself asks again.
        var scripts = Enumerable.Repeat(foreign[answer], 2).ToArray();
        var batch = fixture.Batch(0, 10);
        SinkException failure;
        if (kind is "append" or "elastic")
        {
            await fixture.OpenAsync();
            fixture.Server.Next(kind, scripts);
            failure = await fixture.SendFailsAsync(batch);
            Assert.Equal(0, failure.Failure == SinkFailure.Transient ? (await fixture.PollAsync()).Offset : 0);
        }
        else
        {
            fixture.Server.Next(kind, scripts);
            failure = await fixture.OpenFailsAsync();
        }
        Assert.Empty(fixture.Server.Table);

        // Snowflake answers again.
        fixture.Server.ClearScripts();
        if (kind is not ("append" or "elastic") || failure.Failure != SinkFailure.Transient)
            await fixture.OpenAsync();
        await fixture.SendAsync(batch);
        fixture.Server.Commit();
        var commit = await fixture.PollAsync();

        Assert.Equal(10, commit.Offset);
        Assert.Equal(Enumerable.Range(0, 10).Select(offset => (long)offset), SinkFixture.Offsets(fixture.Server.Table));
        Assert.Equal(0, fixture.DeadLetters.Count);
        var said = failure.Message;
        Assert.DoesNotContain("RSA_PUBLIC_KEY", said);
        Assert.DoesNotContain('\n', said);
        if (answer is not "a body that is cut off")
            Assert.True(said.Contains("in place of Snowflake", StringComparison.Ordinal), said);
        if (foreign[answer].Location is { } location)
            Assert.Contains(location, said);
        if (answer is "a page with 200")
            Assert.Contains("Hotel Wi-Fi", said);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task What_is_not_Snowflakes_answer_moves_no_cursor_when_it_answers_a_poll(string kind, string answer)
    {
        if (kind != "status")
            return;
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        await fixture.SendAsync(fixture.Batch(0, 10));
        fixture.Server.Commit();
        fixture.Server.Next(kind, foreign[answer], foreign[answer]);

        var failure = await fixture.PollFailsAsync();
        fixture.Server.ClearScripts();
        if (failure.Failure != SinkFailure.Transient)
            await fixture.OpenAsync();

        Assert.Equal(10, (await fixture.PollAsync()).Offset);
        Assert.Equal(10, fixture.Server.Table.Count);
    }

    /// <summary>An append that a proxy let through and answered itself: the repetition must not double it.</summary>
    [Theory]
    [InlineData("a page with 200")]
    [InlineData("204")]
    [InlineData("a body that is cut off")]
    [InlineData("202 accepted")]
    public async Task An_append_that_arrived_although_somebody_else_answered_is_stored_once(string answer)
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        fixture.Server.Next("append", foreign[answer] with { Applied = true });
        var batch = fixture.Batch(0, 10);

        await fixture.SendFailsAsync(batch);
        await fixture.SendAsync(batch);
        await fixture.SendAsync(fixture.Batch(10, 5));
        fixture.Server.Commit();

        Assert.Equal(15, (await fixture.PollAsync()).Offset);
        Assert.Equal(Enumerable.Range(0, 15).Select(offset => (long)offset), SinkFixture.Offsets(fixture.Server.Table));
    }

    [Theory]
    [InlineData(
        400,
        """{"code":"NEVER_SEEN","message":"Column X of table Y is gone"}""",
        "NEVER_SEEN",
        "Column X of table Y is gone",
        "does not understand the request"
    )]
    [InlineData(
        401,
        """{"code":"390999","message":"Something about a sign-in"}""",
        "390999",
        "Something about a sign-in",
        "RSA_PUBLIC_KEY"
    )]
    [InlineData(403, """{"code":"003001","message":"Insufficient privileges"}""", "003001", "Insufficient privileges", "network policy")]
    [InlineData(404, """{"code":"SOMETHING","message":"No stage"}""", "SOMETHING", "No stage", "SHOW PIPES")]
    [InlineData(409, """{"code":"SOMETHING","message":"The table is being cloned"}""", "SOMETHING", "being cloned", "two forwarders")]
    [InlineData(
        401,
        """{"code":"390422","message":"Incoming request with IP/Token 203.0.113.9 is not allowed to access Snowflake."}""",
        "390422",
        "203.0.113.9",
        "RSA_PUBLIC_KEY"
    )]
    [InlineData(
        401,
        """{"message":"Incoming request with IP/Token 203.0.113.9 is not allowed to access Snowflake."}""",
        "401",
        "203.0.113.9",
        "RSA_PUBLIC_KEY"
    )]
    [InlineData(200, """{"status_code":17,"message":"Something of its own"}""", "17", "Something of its own", "in place of Snowflake")]
    public async Task Snowflakes_own_words_stand_in_every_message_and_advice_that_does_not_fit_them_does_not(
        int status,
        string body,
        string code,
        string words,
        string unfit
    )
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        foreach (var kind in new[] { "append", "status" })
        {
            fixture.Server.Next(kind, new Script(status, body), new Script(status, body));

            var failure = kind == "append" ? await fixture.SendFailsAsync(fixture.Batch(0, 1)) : await fixture.PollFailsAsync();

            Assert.Contains(code, failure.Message);
            Assert.Contains(words, failure.Message);
            Assert.DoesNotContain(unfit, failure.Message);
            fixture.Server.ClearScripts();
            await fixture.OpenAsync();
        }
    }

    [Fact]
    public async Task A_network_policy_is_named_as_such()
    {
        await using var fixture = await SinkFixture.StartAsync();
        var script = new Script(
            401,
            """{"code":"390422","message":"Incoming request with IP/Token 203.0.113.9 is not allowed to access Snowflake."}"""
        );
        fixture.Server.Next("hostname", script, script);

        var failure = await fixture.OpenFailsAsync();

        Assert.Equal(SinkFailure.NeedsOperator, failure.Failure);
        Assert.Contains("ALTER NETWORK RULE", failure.Message);
    }

    [Fact]
    public async Task A_status_that_is_not_healthy_is_told_with_all_that_it_says()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        (fixture.Server.Single.Status, fixture.Server.Single.ErrorMessage) = ("ERR_PIPE_IN_INVALID_STATE", "column GONE was dropped");

        var failure = await fixture.PollFailsAsync();

        Assert.Contains("ERR_PIPE_IN_INVALID_STATE (column GONE was dropped)", failure.Message);
    }

    [Theory]
    [InlineData("last_error_timestamp_ms", "1795903064314", "2026-11-28T21:57:44")]
    [InlineData("last_error_timestamp", "1795903064314", "2026-11-28T21:57:44")]
    [InlineData("last_error_timestamp", "1795903064", "2026-11-28T21:57:44")]
    [InlineData("last_error_timestamp", "\"2026-11-28T21:57:44.314Z\"", "2026-11-28T21:57:44")]
    [InlineData("last_error_timestamp", "\"soon\"", null)]
    [InlineData("last_error_timestamp", "null", null)]
    public void The_time_of_the_last_error_is_read_from_either_field(string name, string value, string? expected)
    {
        using var document = System.Text.Json.JsonDocument.Parse(
            Encoding.UTF8.GetBytes($$"""{"channel_status_code":"SUCCESS","{{name}}":{{value}}}""")
        );

        var status = ChannelStatus.Read(document.RootElement);

        Assert.Equal(expected is not null, status.LastErrorAt is not null);
        if (expected is not null)
            Assert.StartsWith(
                expected,
                status.LastErrorAt!.Value.ToString("yyyy-MM-dd'T'HH:mm:ss", System.Globalization.CultureInfo.InvariantCulture)
            );
    }
}
