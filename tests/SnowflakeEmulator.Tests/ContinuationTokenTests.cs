using System.Net;

namespace ThermalStreaming.SnowflakeEmulator.Tests;

/// <summary>Continuation tokens: which append is the next one of a channel.</summary>
public sealed class ContinuationTokenTests
{
    static string Row(string uuid) => Emulator.Row(uuid);

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

        var answer = await emulator.SendAsync(
            HttpMethod.Post,
            $"{Emulator.Data}/channels/CH/rows?offsetToken=1",
            Emulator.Text(Row("a"), "application/x-ndjson")
        );

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
}
