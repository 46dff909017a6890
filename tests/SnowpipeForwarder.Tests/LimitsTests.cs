using System.Text;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SnowpipeForwarder.Tests;

/// <summary>Sizes and rates.</summary>
public class LimitsTests
{
    [Fact]
    public async Task A_batch_without_a_row_is_passed_over_once_although_no_token_ever_says_so()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        await fixture.SendAsync(fixture.Batch(0, 1));
        await fixture.SendAsync(
            fixture.Batch(1, 1, Encoding.UTF8.GetBytes($$"""{"note":"{{new string('x', 5_000_000)}}"}"""), isJson: true)
        );
        fixture.Server.Commit();

        var first = await fixture.PollAsync();
        var second = await fixture.PollAsync();

        Assert.Equal(2, first.Offset);
        Assert.Equal(2, second.Offset);
        Assert.Equal(1, fixture.DeadLetters.Count);
    }

    [Theory]
    [InlineData(8_000)]
    [InlineData(2_000)]
    // One row of these takes about 600 bytes on the wire, two take 700.
    [InlineData(690)]
    public async Task What_a_proxy_finds_too_large_goes_in_smaller_appends_until_they_pass(int limit)
    {
        await using var fixture = await SinkFixture.StartAsync(("SNOWFLAKE_CHANNEL_REQUESTS_PER_SECOND", "1000"));
        await fixture.OpenAsync();
        RefuseAbove(fixture, limit);

        await DeliverAllAsync(fixture, () => fixture.Batch(0, 500));

        Assert.Equal(Enumerable.Range(0, 500).Select(offset => (long)offset), SinkFixture.Offsets(fixture.Server.Table));
        Assert.Equal(0, fixture.DeadLetters.Count);
        // The size that passes is kept.
        var calls = fixture.Server.Of("append").Count();
        await fixture.SendAsync(fixture.Batch(500, 100));
        Assert.All(fixture.Server.Of("append").Skip(calls), call => Assert.InRange(call.Body.Length, 1, limit));
    }

    [Fact]
    public async Task A_single_row_that_no_append_gets_past_a_proxy_becomes_a_dead_letter()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        RefuseAbove(fixture, 100_000);
        var random = new Random(20261122);
        var lines = Enumerable
            .Range(0, 40)
            .Select(i => $$"""{"note":"{{(i == 20 ? Convert.ToBase64String(Bytes(random, 200_000)) : "small")}}"}""");
        var payload = Encoding.UTF8.GetBytes(string.Join('\n', lines));

        await DeliverAllAsync(fixture, () => fixture.Batch(0, 40, payload, isJson: true));

        Assert.Equal(
            Enumerable.Range(0, 40).Where(offset => offset != 20).Select(offset => (long)offset),
            SinkFixture.Offsets(fixture.Server.Table)
        );
        Assert.Equal(1, fixture.DeadLetters.Count);
        Assert.Contains(
            fixture.Log.Of(SnowpipeEvents.ReadingRefused),
            line => line.Contains("offset 20 makes a row", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Where_not_even_an_ordinary_row_passes_a_person_is_asked()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        RefuseAbove(fixture, 100);

        SinkException failure;
        do
        {
            failure = await fixture.SendFailsAsync(fixture.Batch(0, 100));
            await fixture.OpenAsync();
        } while (failure.Failure == SinkFailure.Reopen);

        Assert.Equal(SinkFailure.NeedsOperator, failure.Failure);
        Assert.Contains("Raise the limit of the proxy", failure.Message);
        Assert.Equal(0, fixture.DeadLetters.Count);
    }

    static void RefuseAbove(SinkFixture fixture, int limit) =>
        fixture.Server.Before = call =>
        {
            if (call.Kind == "append" && call.Body.Length > limit)
                fixture.Server.Next("append", new Script(413, "<html>too large</html>"));
            return Task.CompletedTask;
        };

    /// <summary>What the loop does: opens again as often as it is told to, and sends again what is not committed.</summary>
    static async Task DeliverAllAsync(SinkFixture fixture, Func<Batch> batch)
    {
        for (var opens = 0; ; opens++)
        {
            Assert.InRange(opens, 0, 12);
            try
            {
                await fixture.SendAsync(batch());
                break;
            }
            catch (SinkException e) when (e.Failure == SinkFailure.Reopen)
            {
                await fixture.OpenAsync();
            }
        }
        fixture.Server.Commit();
        await fixture.PollAsync();
    }

    [Fact]
    public async Task A_row_of_more_than_2_MB_becomes_a_dead_letter_and_blocks_nothing()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        var huge = Encoding.UTF8.GetBytes($$"""{"note":"{{new string('x', 5_000_000)}}"}""");

        await fixture.SendAsync(fixture.Batch(0, 1, huge, isJson: true));
        var onlyRefused = await fixture.PollAsync();
        await fixture.SendAsync(fixture.Batch(1, 3));
        fixture.Server.Commit();
        var commit = await fixture.PollAsync();

        Assert.Equal(1, onlyRefused.Offset);
        Assert.Equal(4, commit.Offset);
        Assert.Equal(1, fixture.DeadLetters.Count);
        Assert.Equal([1L, 2, 3], SinkFixture.Offsets(fixture.Server.Table));
        Assert.Contains(fixture.Log.Of(SnowpipeEvents.ReadingRefused), line => line.Contains("offset 0", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_compresses_to_more_than_4_MB_goes_in_several_appends_that_chain()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        var random = new Random(20261120);
        var lines = Enumerable.Range(0, 12).Select(_ => $$"""{"note":"{{Convert.ToBase64String(Bytes(random, 1_000_000))}}"}""");

        await fixture.SendAsync(fixture.Batch(0, 12, Encoding.UTF8.GetBytes(string.Join('\n', lines)), isJson: true));
        fixture.Server.Commit();
        var commit = await fixture.PollAsync();

        var calls = fixture.Server.Of("append").ToList();
        Assert.True(calls.Count > 1);
        Assert.All(calls, call => Assert.InRange(call.Body.Length, 1, 4_000_000));
        Assert.Equal(12, commit.Offset);
        Assert.Equal(Enumerable.Range(0, 12).Select(offset => (long)offset), SinkFixture.Offsets(fixture.Server.Table));
        Assert.Equal(
            calls.Skip(1).Select(call => call.Query["startOffsetToken"]),
            calls
                .SkipLast(1)
                .Select(call =>
                    SinkFixture.Token(OffsetToken.TryParse(call.Query["endOffsetToken"], out var token) ? token.Offset + 1 : -1)
                )
        );
    }

    [Fact]
    public async Task A_failed_part_is_repeated_without_the_parts_before_it()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        var random = new Random(20261121);
        var lines = Enumerable.Range(0, 12).Select(_ => $$"""{"note":"{{Convert.ToBase64String(Bytes(random, 1_000_000))}}"}""");
        var batch = fixture.Batch(0, 12, Encoding.UTF8.GetBytes(string.Join('\n', lines)), isJson: true);
        var appends = 0;
        fixture.Server.Before = call =>
        {
            if (call.Kind == "append" && ++appends == 2)
                fixture.Server.Next("append", new Script(503, Applied: true));
            return Task.CompletedTask;
        };

        await fixture.SendFailsAsync(batch);
        fixture.Clock.Advance(TimeSpan.FromSeconds(2));
        await fixture.SendAsync(batch);
        fixture.Server.Commit();

        Assert.Equal(Enumerable.Range(0, 12).Select(offset => (long)offset), SinkFixture.Offsets(fixture.Server.Table));
    }

    [Fact]
    public async Task More_than_ten_appends_a_second_wait_for_their_turn()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        for (var i = 0; i < 10; i++)
            await fixture.SendAsync(fixture.Batch(i, 1));

        var eleventh = fixture.SendAsync(fixture.Batch(10, 1));
        var early = fixture.Server.Of("append").Count();
        fixture.Clock.Advance(TimeSpan.FromMilliseconds(1100));
        await eleventh.WaitAsync(TimeSpan.FromSeconds(60));

        Assert.Equal(10, early);
        Assert.Equal(11, fixture.Server.Of("append").Count());
    }

    [Fact]
    public async Task More_than_the_channels_bytes_per_second_wait_for_their_turn()
    {
        await using var fixture = await SinkFixture.StartAsync(("SNOWFLAKE_CHANNEL_BYTES_PER_SECOND", "100000"));
        await fixture.OpenAsync();
        await fixture.SendAsync(fixture.Batch(0, 100));

        var second = fixture.SendAsync(fixture.Batch(100, 100));
        var early = fixture.Server.Of("append").Count();
        fixture.Clock.Advance(TimeSpan.FromSeconds(1.1));
        await second.WaitAsync(TimeSpan.FromSeconds(60));

        Assert.Equal(1, early);
        Assert.Equal(2, fixture.Server.Of("append").Count());
    }

    static byte[] Bytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }
}
