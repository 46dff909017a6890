using System.Net;
using Microsoft.Data.Sqlite;

namespace ThermalStreaming.SnowflakeEmulator.Tests;

/// <summary>Offset tokens and commits: when rows appear, and what an opening does to those that have not.</summary>
public sealed class CommitTests
{
    static string Row(string uuid) => Emulator.Row(uuid);

    [Fact]
    public async Task Rows_and_the_offset_token_appear_together_after_the_commit_delay()
    {
        var clock = Emulator.NewClock();
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

        var answer = await emulator.SendAsync(
            HttpMethod.Post,
            $"{Emulator.Data}/channels/CH/rows?continuationToken=0_1{query}&requestId=8d1f1d3c-33ff-4b0f-9d8f-111111111111",
            Emulator.Text(Row("a"), "application/x-ndjson")
        );

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
        var clock = Emulator.NewClock();
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
        var clock = Emulator.NewClock();
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
}
