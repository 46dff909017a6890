using System.Globalization;
using ThermalStreaming.Forwarding;

namespace ThermalStreaming.SnowpipeForwarder.Tests;

/// <summary>What a call says of itself over its retries, as Snowflake's own SDK does.</summary>
public class RequestTests
{
    [Theory]
    [InlineData("hostname")]
    [InlineData("token")]
    [InlineData("open")]
    [InlineData("append")]
    [InlineData("status")]
    [InlineData("elastic")]
    public async Task A_call_keeps_its_id_over_its_retries_and_counts_them(string kind)
    {
        await using var fixture = await SinkFixture.StartAsync(("SNOWFLAKE_INGESTION", kind == "elastic" ? "Elastic" : "Named"));
        var batch = fixture.Batch(0, 3);
        if (kind is "append" or "elastic" or "status")
            await fixture.OpenAsync();
        var before = fixture.Server.Of(kind).Count();
        fixture.Server.Next(kind, new Script(503), new Script(200, "<html>portal</html>"), new Script(0), new Script(429));

        for (var attempt = 0; attempt < 5; attempt++)
        {
            try
            {
                await (
                    kind switch
                    {
                        "status" => fixture.PollAsync(),
                        "append" or "elastic" => fixture.SendAsync(batch),
                        _ => (Task)fixture.OpenAsync(),
                    }
                );
            }
            catch (SinkException e)
            {
                Assert.Equal(SinkFailure.Transient, e.Failure);
                Assert.True(attempt < 4, e.Message);
            }
        }

        var calls = fixture.Server.Of(kind).Skip(before).ToList();
        Assert.Equal(["0", "1", "2", "3", "4"], calls.Select(call => call.Query["retryCount"]));
        Assert.True(Guid.TryParse(Assert.Single(calls.Select(call => call.Query["requestId"]).Distinct()), out _));
    }

    [Fact]
    public async Task The_next_call_is_another()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        fixture.Server.Next("append", new Script(503));
        var batch = fixture.Batch(0, 3);

        await fixture.SendFailsAsync(batch);
        await fixture.SendAsync(batch);
        await fixture.SendAsync(fixture.Batch(3, 3));
        await fixture.PollAsync();
        await fixture.PollAsync();

        Assert.Equal(["0", "1", "0"], fixture.Server.Of("append").Select(call => call.Query["retryCount"]));
        Assert.Equal(2, fixture.Server.Of("append").Select(call => call.Query["requestId"]).Distinct().Count());
        Assert.Equal(
            fixture.Server.Of("status").Count(),
            fixture.Server.Of("status").Select(call => call.Query["requestId"]).Distinct().Count()
        );
        Assert.All(fixture.Server.Of("status"), call => Assert.Equal("0", call.Query["retryCount"]));
    }

    [Fact]
    public async Task A_call_that_is_signed_in_again_is_a_retry_of_itself()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        fixture.Server.Next("append", new Script(401));

        await fixture.SendAsync(fixture.Batch(0, 3));

        Assert.Equal(["0", "1"], fixture.Server.Of("append").Select(call => call.Query["retryCount"]));
        Assert.Single(fixture.Server.Of("append").Select(call => call.Query["requestId"]).Distinct());
    }

    [Theory]
    [InlineData("Named", "append")]
    [InlineData("Elastic", "elastic")]
    public async Task An_append_says_since_when_its_rows_wait_and_its_retries_say_the_same(string ingestion, string kind)
    {
        await using var fixture = await SinkFixture.StartAsync(("SNOWFLAKE_INGESTION", ingestion));
        // By Snowflake's clock, which is what it compares with.
        fixture.Server.Now = () => fixture.Clock.GetUtcNow() + TimeSpan.FromHours(1);
        await fixture.OpenAsync();
        fixture.Server.Next(kind, new Script(503));
        var batch = fixture.Batch(0, 3);
        var expected = fixture.Server.Now();

        await fixture.SendFailsAsync(batch);
        fixture.Clock.Advance(TimeSpan.FromSeconds(20));
        await fixture.SendAsync(batch);

        var said = Assert.Single(fixture.Server.Of(kind).Select(call => call.Headers["x-snowflake-min-append-timestamp-ms"]).Distinct());
        Assert.InRange(
            DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(said, CultureInfo.InvariantCulture)),
            expected - TimeSpan.FromSeconds(3),
            expected + TimeSpan.FromSeconds(3)
        );
    }

    [Fact]
    public async Task The_session_survives_answers_without_it_and_ends_with_the_channel()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        fixture.Server.Session = "MTI3";
        await fixture.SendAsync(fixture.Batch(0, 1));
        fixture.Server.Session = null;

        await fixture.PollAsync();
        fixture.Server.Next("append", new Script(503, "<html>busy</html>"));
        var batch = fixture.Batch(1, 1);
        await fixture.SendFailsAsync(batch);
        await fixture.SendAsync(batch);
        await fixture.PollAsync();
        var calls = fixture.Server.Calls.Count;
        await fixture.OpenAsync();

        Assert.Equal(
            ["MTI3", "MTI3", "MTI3", "MTI3"],
            fixture.Server.Calls.Take(calls).TakeLast(4).Select(call => call.Headers.GetValueOrDefault("x-snowflake-session"))
        );
        Assert.All(fixture.Server.Calls.Skip(calls), call => Assert.False(call.Headers.ContainsKey("x-snowflake-session")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("""{"code":"390318","message":"OAuth access token expired. [uuid]"}""")]
    [InlineData("""{"code":"390303","message":"Invalid OAuth access token. [uuid]"}""")]
    [InlineData("""{"code":"390144","message":"JWT token is invalid. [uuid]"}""")]
    public async Task A_401_that_passes_is_no_advice_to_register_the_key(string body)
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        var batch = fixture.Batch(0, 10);
        for (var i = 0; i < 5; i++)
        {
            // Both attempts of each.
            fixture.Server.Next(i % 2 == 0 ? "append" : "token", new Script(401, body), new Script(401, body));
            fixture.Server.RevokeTokens();
            var failure = await fixture.SendFailsAsync(batch);

            Assert.Equal(SinkFailure.Transient, failure.Failure);
            Assert.DoesNotContain("RSA_PUBLIC_KEY", failure.Message);
            Assert.Contains("401", failure.Message);
            if (body.Length > 0)
                Assert.Contains("[uuid]", failure.Message);
            fixture.Clock.Advance(TimeSpan.FromSeconds(5));
        }
        await fixture.SendAsync(batch);
        fixture.Server.Commit();

        Assert.Equal(10, (await fixture.PollAsync()).Offset);
        Assert.Equal(10, fixture.Server.Table.Count);
    }

    [Fact]
    public async Task A_401_that_stays_needs_the_operator()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        fixture.Server.Next("append", [.. Enumerable.Repeat(new Script(401), 6)]);
        var batch = fixture.Batch(0, 10);

        var first = await fixture.SendFailsAsync(batch);
        fixture.Clock.Advance(FailurePolicy.SignInPatience);
        var second = await fixture.SendFailsAsync(batch);
        await fixture.OpenAsync();
        var third = await fixture.SendFailsAsync(batch);

        Assert.Equal(SinkFailure.Transient, first.Failure);
        Assert.Equal(SinkFailure.NeedsOperator, second.Failure);
        Assert.Contains("RSA_PUBLIC_KEY", second.Message);
        // Something was answered in between.
        Assert.Equal(SinkFailure.Transient, third.Failure);
    }

    [Fact]
    public async Task A_403_is_asked_for_once_more_with_a_new_token()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        fixture.Server.Next("append", new Script(403, """{"code":"X","message":"the role was changed"}"""));

        await fixture.SendAsync(fixture.Batch(0, 3));

        Assert.Equal(2, fixture.Server.Of("token").Count());
        Assert.Equal(2, fixture.Server.Of("append").Count());
    }
}
