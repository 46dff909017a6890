using ThermalStreaming.Forwarding;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SnowpipeForwarder.Tests;

/// <summary>Rows go out, and their commits are seen: the usual course, lost replies included.</summary>
public class DeliveryTests
{
    [Fact]
    public async Task Delivers_rows_and_calls_them_committed_only_when_the_status_does()
    {
        await using var fixture = await SinkFixture.StartAsync();

        var position = await fixture.OpenAsync();
        await fixture.SendAsync(fixture.Batch(0, 10));
        var before = await fixture.PollAsync();
        fixture.Server.Commit();
        var after = await fixture.PollAsync();

        Assert.Equal(0, position.Offset);
        Assert.Equal(0, before.Offset);
        Assert.Equal(10, after.Offset);
        Assert.False(after.Durable);
        Assert.Equal(Enumerable.Range(0, 10).Select(offset => (long)offset), SinkFixture.Offsets(fixture.Server.Table));
        Assert.All(fixture.Server.Table, row => Assert.Equal(SinkFixture.Channel, row["channel_id"]!.GetValue<string>()));
    }

    [Fact]
    public async Task Sends_the_next_batch_before_the_last_one_is_committed_and_follows_the_committed_token()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();

        await fixture.SendAsync(fixture.Batch(0, 10));
        await fixture.SendAsync(fixture.Batch(10, 5));
        await fixture.SendAsync(fixture.Batch(15, 5));
        fixture.Server.Commit(appends: 2);
        var first = await fixture.PollAsync();
        fixture.Server.Commit();
        var second = await fixture.PollAsync();

        Assert.Equal(15, first.Offset);
        Assert.Equal(20, second.Offset);
        Assert.Equal(["1_1", "1_2", "1_3"], fixture.Server.Of("append").Select(call => call.Query["continuationToken"]));
    }

    [Fact]
    public async Task Polls_every_second_while_rows_are_uncommitted_and_every_half_minute_when_idle()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();

        var idle = fixture.Sink.PollInterval;
        await fixture.SendAsync(fixture.Batch(0, 1));
        var busy = fixture.Sink.PollInterval;

        Assert.Equal(TimeSpan.FromSeconds(30), idle);
        Assert.Equal(TimeSpan.FromSeconds(1), busy);
    }

    [Fact]
    public async Task Sends_the_offset_tokens_of_the_first_and_the_last_row()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();

        await fixture.SendAsync(fixture.Batch(0, 10));

        var query = fixture.Server.Of("append").Single().Query;
        Assert.Equal(SinkFixture.Token(0), query.GetValueOrDefault("startOffsetToken"));
        Assert.Equal(SinkFixture.Token(9), query.GetValueOrDefault("endOffsetToken"));
    }

    [Fact]
    public async Task Every_call_carries_the_headers_that_Snowflake_wants()
    {
        await using var fixture = await SinkFixture.StartAsync();

        await fixture.OpenAsync();
        await fixture.SendAsync(fixture.Batch(0, 3));
        await fixture.PollAsync();

        Assert.All(fixture.Server.Calls, call => Assert.Equal("application/json", call.Headers["Accept"]));
        Assert.All(
            fixture.Server.Calls,
            call =>
                Assert.Matches(
                    @"^SnowpipeStreamingSDK/\d+\.\d+\.\d+ \(.+\) DOTNET/\d+\.\S+ \(app=thermal-streaming\)$",
                    call.Headers["User-Agent"]
                )
        );
        var append = fixture.Server.Of("append").Single();
        Assert.Equal("OAUTH", append.Headers["X-Snowflake-Authorization-Token-Type"]);
        Assert.Equal("application/x-ndjson", append.Headers["Content-Type"]);
        Assert.Equal("zstd", append.Headers["Content-Encoding"]);
        Assert.Equal(
            Call.Decompress(append.Body).Length.ToString(System.Globalization.CultureInfo.InvariantCulture),
            append.Headers["x-snowflake-uncompressed-content-length"]
        );
        Assert.Equal("MTI3LjAuMC4xOjE=", append.Headers["x-snowflake-session"]);
        Assert.Equal((byte)'\n', Call.Decompress(append.Body)[^1]);
        Assert.Equal("KEYPAIR_JWT", fixture.Server.Of("hostname").Single().Headers["X-Snowflake-Authorization-Token-Type"]);
        Assert.All(
            fixture.Server.Calls.Where(call => call.Kind is "open" or "append" or "status"),
            call => Assert.True(Guid.TryParse(call.Query["requestId"], out _))
        );
    }

    [Theory]
    [InlineData(0, "")]
    [InlineData(500, "")]
    [InlineData(503, "\"ERR_GENERAL_EXCEPTION_RETRY_REQUEST\"")]
    [InlineData(408, "")]
    [InlineData(499, "client closed request")]
    public async Task A_lost_reply_is_repeated_byte_for_byte_with_the_same_token_and_applied_once(int status, string body)
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        var batch = fixture.Batch(0, 10);
        fixture.Server.Next("append", new Script(status, body, Applied: true));

        var failure = await fixture.SendFailsAsync(batch);
        fixture.Clock.Advance(TimeSpan.FromSeconds(1));
        await fixture.SendAsync(batch);
        await fixture.SendAsync(fixture.Batch(10, 10));
        fixture.Server.Commit();
        var commit = await fixture.PollAsync();

        Assert.Equal(SinkFailure.Transient, failure.Failure);
        var calls = fixture.Server.Of("append").ToList();
        Assert.Equal(calls[0].Body, calls[1].Body);
        Assert.Equal(calls[0].Query["continuationToken"], calls[1].Query["continuationToken"]);
        Assert.Equal(calls[0].Query["endOffsetToken"], calls[1].Query["endOffsetToken"]);
        Assert.Equal(20, commit.Offset);
        Assert.Equal(Enumerable.Range(0, 20).Select(offset => (long)offset), SinkFixture.Offsets(fixture.Server.Table));
    }

    [Fact]
    public async Task A_commit_that_is_seen_before_its_lost_reply_was_repeated_counts_only_then()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        var batch = fixture.Batch(0, 10);
        fixture.Server.Next("append", new Script(503, Applied: true));
        await fixture.SendFailsAsync(batch);
        fixture.Server.Commit();

        var before = await fixture.PollAsync();
        await fixture.SendAsync(batch);
        var after = await fixture.PollAsync();

        Assert.Equal(0, before.Offset);
        Assert.Equal(10, after.Offset);
        Assert.Empty(fixture.Log.Messages());
    }

    [Fact]
    public async Task A_token_beyond_everything_sent_is_somebody_elses_and_moves_nothing()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        await fixture.SendAsync(fixture.Batch(0, 10));
        fixture.Server.Single.Committed = SinkFixture.Token(500);

        var commit = await fixture.PollAsync();

        Assert.Equal(10, commit.Offset);
        Assert.NotEmpty(fixture.Log.Of(SnowpipeEvents.ForeignToken));
    }

    [Fact]
    public async Task A_reply_that_does_not_come_in_time_is_a_transient_failure()
    {
        await using var fixture = await SinkFixture.StartAsync(("SNOWFLAKE_REQUEST_TIMEOUT", "5s"));
        await fixture.OpenAsync();
        var batch = fixture.Batch(0, 10);
        var (arrived, answer) = (new TaskCompletionSource(), new TaskCompletionSource());
        fixture.Server.Before = async call =>
        {
            if (call.Kind != "append" || answer.Task.IsCompleted)
                return;
            arrived.TrySetResult();
            await answer.Task;
        };

        var sending = fixture.SendFailsAsync(batch);
        await arrived.Task.WaitAsync(TimeSpan.FromSeconds(60));
        fixture.Clock.Advance(TimeSpan.FromSeconds(6));
        var failure = await sending.WaitAsync(TimeSpan.FromSeconds(60));
        answer.SetResult();
        await fixture.SendAsync(batch);

        Assert.Equal(SinkFailure.Transient, failure.Failure);
        Assert.Contains("did not answer within 5 s", failure.Message);
        var bodies = fixture.Server.Of("append").Select(call => call.Body).ToList();
        Assert.Equal(bodies[0], bodies[1]);
    }

    [Fact]
    public async Task Honours_the_wait_that_the_server_asks_for()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        fixture.Server.Next("append", new Script(429, "", RetryAfter: "7"));

        var failure = await fixture.SendFailsAsync(fixture.Batch(0, 1));

        Assert.Equal(TimeSpan.FromSeconds(7), failure.RetryAfter);
    }

    [Theory]
    [InlineData("thermal-streaming", "THERMAL")]
    [InlineData("\"My Table-streaming\"", "%22My%20Table%22")]
    public async Task The_elastic_channel_of_a_default_pipe_is_reached_by_its_table_which_makes_the_pipe(string pipe, string table)
    {
        await using var fixture = await SinkFixture.StartAsync(("SNOWFLAKE_PIPE", pipe), ("SNOWFLAKE_INGESTION", "Elastic"));
        fixture.Server.PipeExists = false;

        await fixture.OpenAsync();
        await fixture.SendAsync(fixture.Batch(0, 3));

        Assert.Equal(3, (await fixture.PollAsync()).Offset);
        Assert.StartsWith(
            $"/v2/streaming/data/databases/DEMO/schemas/PUBLIC/tables/{table}/rows?requestId=",
            fixture.Server.Of("elastic").Single().RawTarget
        );
    }

    [Fact]
    public async Task A_401_in_mid_stream_fetches_one_new_token_and_repeats_the_same_bytes()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        fixture.Server.Next("append", new Script(401, ""));

        await fixture.SendAsync(fixture.Batch(0, 10));
        fixture.Server.Commit();
        var commit = await fixture.PollAsync();

        Assert.Equal(10, commit.Offset);
        Assert.Equal(2, fixture.Server.Of("token").Count());
        var calls = fixture.Server.Of("append").ToList();
        Assert.Equal(2, calls.Count);
        Assert.Equal(calls[0].Body, calls[1].Body);
        Assert.NotEqual(calls[0].Headers["Authorization"], calls[1].Headers["Authorization"]);
    }

    [Fact]
    public async Task A_sign_in_that_has_expired_by_the_answers_own_status_code_is_a_401()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        fixture.Server.Next("append", new Script(200, """{"next_continuation_token":"1_2","status_code":3,"message":"expired"}"""));

        await fixture.SendAsync(fixture.Batch(0, 10));
        fixture.Server.Commit();

        Assert.Equal(10, (await fixture.PollAsync()).Offset);
        Assert.Equal(2, fixture.Server.Of("token").Count());
    }

    [Fact]
    public async Task The_elastic_channel_is_committed_by_its_200_and_counts_retries()
    {
        await using var fixture = await SinkFixture.StartAsync(("SNOWFLAKE_INGESTION", "Elastic"));
        fixture.Cursor = 5;
        var position = await fixture.OpenAsync();
        var batch = fixture.Batch(5, 10);
        fixture.Server.Next("elastic", new Script(503));

        var failure = await fixture.SendFailsAsync(batch);
        await fixture.SendAsync(batch);
        var commit = await fixture.PollAsync();
        await fixture.SendAsync(fixture.Batch(15, 1));

        Assert.Equal(5, position.Offset);
        Assert.Equal(SinkFailure.Transient, failure.Failure);
        Assert.Equal(new SinkCommit(15, Durable: true), commit);
        var calls = fixture.Server.Of("elastic").ToList();
        Assert.Equal(["0", "1", "0"], calls.Select(call => call.Query["retryCount"]));
        Assert.Equal(calls[0].Query["requestId"], calls[1].Query["requestId"]);
        Assert.NotEqual(calls[1].Query["requestId"], calls[2].Query["requestId"]);
        Assert.Equal(calls[0].Body, calls[1].Body);
        Assert.Empty(fixture.Server.Of("open"));
    }
}
