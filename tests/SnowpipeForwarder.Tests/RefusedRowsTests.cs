using ThermalStreaming.Testing;

namespace ThermalStreaming.SnowpipeForwarder.Tests;

/// <summary>Rows that Snowflake refuses after it has accepted their append.</summary>
public class RefusedRowsTests
{
    [Fact]
    public async Task A_rise_of_refused_rows_is_an_error_with_offsets_and_dead_letters_and_the_count_at_open_is_not()
    {
        await using var fixture = await SinkFixture.StartAsync();
        fixture.Server.Make(SinkFixture.Channel).RowErrors = 7;
        await fixture.OpenAsync();
        await fixture.SendAsync(fixture.Batch(0, 10));
        fixture.Server.Commit();
        await fixture.PollAsync();
        Assert.Equal(0, fixture.DeadLetters.Count);

        await fixture.SendAsync(fixture.Batch(10, 10));
        var channel = fixture.Server.Single;
        (channel.RowErrors, channel.ErrorBound, channel.ErrorMessage) = (8, SinkFixture.Token(14), "NULL result in a non-nullable column");
        fixture.Server.Commit();
        var commit = await fixture.PollAsync();
        await fixture.PollAsync();

        Assert.Equal(20, commit.Offset);
        var line = Assert.Single(fixture.Log.Of(SnowpipeEvents.RowsRefused));
        Assert.Contains("refused 1 rows between offsets 10 and 14: NULL result in a non-nullable column", line);
        Assert.Equal(5, fixture.DeadLetters.Count);
    }

    [Fact]
    public async Task Rows_refused_while_the_process_was_down_are_found_at_the_next_start()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        await fixture.SendAsync(fixture.Batch(0, 10));
        fixture.Server.Commit();
        (fixture.Server.Single.RowErrors, fixture.Server.Single.ErrorMessage) = (2, "bad");

        fixture.NewProcess();
        var position = await fixture.OpenAsync();
        fixture.NewProcess();
        await fixture.OpenAsync();

        Assert.Equal(10, position.Offset);
        Assert.Single(
            fixture.Log.Of(SnowpipeEvents.RowsRefused),
            line => line.Contains("refused 2 rows between offsets 0 and 9", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_count_that_rises_before_the_commit_is_seen_waits_for_it()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        await fixture.SendAsync(fixture.Batch(0, 10));
        fixture.Server.Single.RowErrors = 1;

        await fixture.PollAsync();
        var early = fixture.DeadLetters.Count;
        fixture.Server.Commit();
        await fixture.PollAsync();

        Assert.Equal(0, early);
        Assert.Equal(10, fixture.DeadLetters.Count);
    }

    /// <summary>
    /// All was committed, and the cursor says so; the count of refused rows came only after that, and the process was restarted in between.
    /// </summary>
    [Theory]
    [InlineData(10, 100, 900)]
    [InlineData(12, 1000, 10_000)]
    public async Task A_late_count_of_refused_rows_at_a_start_does_not_condemn_the_whole_journal(int batches, int size, int kept)
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        for (var i = 0; i < batches; i++)
        {
            await fixture.SendAsync(fixture.Batch(i * size, size));
            fixture.Server.Commit();
            await fixture.PollAsync();
            // A channel takes ten appends in a second.
            fixture.Clock.Advance(TimeSpan.FromSeconds(1));
        }
        fixture.Cursor = fixture.End = batches * size;
        (fixture.Server.Single.RowErrors, fixture.Server.Single.ErrorMessage) = (1, "bad");
        fixture.NewProcess();

        await fixture.OpenAsync();

        Assert.Equal(kept, fixture.DeadLetters.Count);
    }

    [Fact]
    public async Task Refused_rows_of_a_flood_are_kept_with_all_that_one_poll_saw_committed()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        for (var i = 0; i < 6; i++)
            await fixture.SendAsync(fixture.Batch(i * 2000, 2000));
        (fixture.Server.Single.RowErrors, fixture.Server.Single.ErrorMessage) = (1, "bad");
        fixture.Server.Commit();

        await fixture.PollAsync();

        Assert.Equal(12_000, fixture.DeadLetters.Count);
    }

    /// <summary>
    /// The count of one append came only with the next one's commit: the refused row is among the first one's, which has moved out of the
    /// range by then.
    /// </summary>
    [Theory]
    [InlineData(null, 10, 29)]
    [InlineData(19L, 10, 19)]
    [InlineData(25L, 10, 25)]
    public async Task A_count_that_comes_with_the_next_commit_keeps_the_rows_that_were_not_counted(long? bound, int first, int last)
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        await fixture.DeliverAsync(0, 10);
        await fixture.SendAsync(fixture.Batch(10, 10));
        fixture.Server.Commit(isCounted: false);
        var channel = fixture.Server.Single;
        channel.RowsInserted += 9;
        await fixture.PollAsync();

        await fixture.SendAsync(fixture.Batch(20, 10));
        fixture.Server.Commit();
        (channel.RowErrors, channel.ErrorMessage, channel.ErrorBound) = (1, "bad", bound is { } offset ? SinkFixture.Token(offset) : null);
        await fixture.PollAsync();

        var line = Assert.Single(fixture.Log.Of(SnowpipeEvents.RowsRefused));
        Assert.Contains($"refused 1 rows between offsets {first} and {last}: bad", line);
        Assert.Equal(last - first + 1, fixture.DeadLetters.Count);
    }

    [Fact]
    public async Task After_a_refusal_appends_are_small_for_an_hour_so_that_the_next_one_leaves_few_suspects()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        await fixture.DeliverAsync(0, 100);
        await RefuseAsync(fixture, 100, 100, refused: 1, bound: 199);
        var before = fixture.Server.Of("append").Count();

        // As many appends as a channel may take in a second.
        await RefuseAsync(fixture, 200, 100, refused: 1, bound: 249);
        var small = fixture.Server.Of("append").Skip(before).ToList();
        fixture.Clock.Advance(TimeSpan.FromMinutes(59));
        await fixture.DeliverAsync(300, 5);
        fixture.Clock.Advance(TimeSpan.FromMinutes(2));
        before = fixture.Server.Of("append").Count();
        await fixture.DeliverAsync(305, 100);

        Assert.Equal(10, small.Count);
        Assert.All(small, call => Assert.Equal(10, call.Rows.Count));
        Assert.Contains(
            fixture.Log.Messages(),
            line => line.Contains("refused 1 rows between offsets 200 and 249", StringComparison.Ordinal)
        );
        Assert.Equal(150, fixture.DeadLetters.Count);
        Assert.Equal(100, Assert.Single(fixture.Server.Of("append").Skip(before)).Rows.Count);
        // Smaller appends lose and repeat nothing: each row was sent once.
        Assert.Equal(
            Enumerable.Range(0, 405).Select(offset => (long)offset),
            SinkFixture.Offsets(fixture.Server.Of("append").SelectMany(call => call.Rows))
        );
    }

    [Fact]
    public async Task Where_all_rows_are_refused_smaller_appends_would_tell_nothing()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        await fixture.DeliverAsync(0, 100);
        await RefuseAsync(fixture, 100, 100, refused: 100, bound: null);
        var before = fixture.Server.Of("append").Count();

        await fixture.DeliverAsync(200, 100);

        Assert.Equal(100, Assert.Single(fixture.Server.Of("append").Skip(before)).Rows.Count);
        Assert.Equal(100, fixture.DeadLetters.Count);
    }

    /// <summary>
    /// Nothing in Snowflake compares rows: of what was accepted, nothing may be sent a second time to find out what was refused.
    /// </summary>
    [Fact]
    public async Task Suspects_are_not_sent_again()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        await RefuseAsync(fixture, 0, 20, refused: 3, bound: 11);
        for (var poll = 0; poll < 5; poll++)
        {
            fixture.Clock.Advance(TimeSpan.FromSeconds(30));
            await fixture.PollAsync();
        }
        await fixture.OpenAsync();

        Assert.Single(fixture.Server.Of("append"));
        Assert.Equal(12, fixture.DeadLetters.Count);
    }

    static async Task RefuseAsync(SinkFixture fixture, long first, int count, int refused, long? bound)
    {
        // A channel takes ten appends in a second, and time stands still here.
        fixture.Clock.Advance(TimeSpan.FromSeconds(2));
        await fixture.SendAsync(fixture.Batch(first, count)).WaitAsync(TimeSpan.FromSeconds(60));
        fixture.Server.Commit();
        var channel = fixture.Server.Single;
        channel.RowsInserted -= refused;
        channel.RowErrors += refused;
        (channel.ErrorMessage, channel.ErrorBound) = ("bad", bound is { } offset ? SinkFixture.Token(offset) : null);
        await fixture.PollAsync();
    }
}
