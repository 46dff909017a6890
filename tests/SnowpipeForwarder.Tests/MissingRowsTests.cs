using System.Text;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SnowpipeForwarder.Tests;

/// <summary>Rows that are committed by their token and counted nowhere.</summary>
public class MissingRowsTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Rows_that_are_committed_and_never_counted_are_an_error_with_offsets_and_dead_letters()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        await fixture.DeliverAsync(0, 10);

        // An invalid pipe answers 200, drops the rows and goes on with the next append.
        await fixture.DeliverAsync(10, 4, isCounted: false);
        await fixture.DeliverAsync(14, 6);
        Assert.Equal(0, fixture.DeadLetters.Count);
        fixture.Clock.Advance(RowBalance.Patience);
        await fixture.DeliverAsync(20, 10);
        fixture.Clock.Advance(RowBalance.Patience);
        await fixture.DeliverAsync(30, 10);

        var line = Assert.Single(fixture.Log.Of(SnowpipeEvents.RowsMissing));
        Assert.Contains("4 rows between offsets 10 and 13 are committed", line);
        Assert.Contains("4 readings of these offsets", line);
        Assert.Equal(4, fixture.DeadLetters.Count);
        Assert.Equal(4, fixture.Statistics.Snapshot().Missing);
    }

    [Theory]
    [InlineData("counted later", false)]
    [InlineData("not counted at all", true)]
    public async Task Nothing_is_called_missing_when_the_rows_are(string how, bool never)
    {
        output.WriteLine(how);
        await using var fixture = await SinkFixture.StartAsync();
        fixture.Server.Make(SinkFixture.Channel).RowsInserted = never ? null : 500;
        await fixture.OpenAsync();
        await fixture.DeliverAsync(0, 10);

        for (var first = 10; first < 100; first += 10)
        {
            await fixture.DeliverAsync(first, 10, isCounted: false);
            fixture.Clock.Advance(RowBalance.Patience * 0.9);
            fixture.Server.Single.RowsInserted += 10;
            await fixture.PollAsync();
        }

        Assert.Empty(fixture.Log.Of(SnowpipeEvents.RowsMissing));
    }

    [Fact]
    public async Task Nothing_is_called_missing_where_the_counts_have_never_agreed_or_begin_anew()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        // A pipe with WHERE.
        await fixture.DeliverAsync(0, 10, isCounted: false);
        fixture.Clock.Advance(RowBalance.Patience * 2);
        await fixture.DeliverAsync(10, 10);
        // From now on they agree, until the channel is made anew.
        await fixture.OpenAsync();
        await fixture.DeliverAsync(20, 10);
        fixture.Server.Single.RowsInserted = 0;
        await fixture.PollAsync();
        fixture.Clock.Advance(RowBalance.Patience * 2);
        await fixture.DeliverAsync(30, 10);

        Assert.Empty(fixture.Log.Of(SnowpipeEvents.RowsMissing));
    }

    [Theory]
    [InlineData("reopened")]
    [InlineData("reopened, after an append whose answer was lost")]
    [InlineData("started again")]
    [InlineData("killed and started again")]
    [InlineData("moved to a first opening that fails")]
    public async Task Rows_that_were_dropped_before_the_channel_is_opened_again_are_missing_after_it(string how)
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        await fixture.DeliverAsync(0, 10);
        await fixture.DeliverAsync(10, 10);

        // The invalid pipe: answered, dropped, committed; nobody asks for the status before the channel is opened again.
        if (how.Contains("lost", StringComparison.Ordinal))
            fixture.Server.Next("append", new Script(503, Applied: true));
        if (how.Contains("lost", StringComparison.Ordinal))
            await fixture.SendFailsAsync(fixture.Batch(20, 4));
        else
            await fixture.SendAsync(fixture.Batch(20, 4));
        fixture.Server.Commit(isCounted: false);
        if (how.Contains("started", StringComparison.Ordinal))
        {
            if (!how.Contains("killed", StringComparison.Ordinal))
                await fixture.Sink.DisposeAsync();
            fixture.NewProcess();
        }
        if (how.Contains("fails", StringComparison.Ordinal))
        {
            fixture.Server.Next("open", new Script(503));
            await fixture.OpenFailsAsync();
        }
        var position = await fixture.OpenAsync();
        var watching = fixture.Sink.PollInterval;
        await fixture.PollAsync();
        fixture.Clock.Advance(RowBalance.Patience);
        await fixture.PollAsync();
        var idle = fixture.Sink.PollInterval;
        fixture.NewProcess();
        await fixture.OpenAsync();
        fixture.Clock.Advance(RowBalance.Patience);
        await fixture.PollAsync();

        Assert.Equal(24, position.Offset);
        Assert.Equal(TimeSpan.FromSeconds(1), watching);
        Assert.Equal(TimeSpan.FromSeconds(30), idle);
        var line = Assert.Single(fixture.Log.Of(SnowpipeEvents.RowsMissing));
        Assert.Contains(
            how.Contains("killed", StringComparison.Ordinal)
                ? "4 rows between offsets 10 and 23 are committed"
                : "4 rows between offsets 20 and 23 are committed",
            line
        );
    }

    [Fact]
    public async Task What_is_missing_is_said_once_and_as_a_whole()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        await fixture.DeliverAsync(0, 10);

        for (var first = 10; first < 50; first += 10)
        {
            await fixture.DeliverAsync(first, 10, isCounted: false);
            fixture.Clock.Advance(TimeSpan.FromSeconds(5));
        }
        fixture.Clock.Advance(TimeSpan.FromSeconds(5));
        await fixture.PollAsync();

        var line = Assert.Single(fixture.Log.Of(SnowpipeEvents.RowsMissing));
        Assert.Contains("40 rows between offsets 10 and 49 are committed", line);
        Assert.Equal(40, fixture.Statistics.Snapshot().Missing);
    }

    [Fact]
    public async Task What_goes_on_to_be_dropped_is_said_after_a_minute()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        await fixture.DeliverAsync(0, 10);

        for (var first = 10; first < 150; first += 10)
        {
            await fixture.DeliverAsync(first, 10, isCounted: false);
            fixture.Clock.Advance(TimeSpan.FromSeconds(5));
        }
        var early = fixture.Statistics.Snapshot().Missing;
        fixture.Clock.Advance(RowBalance.Patience);
        await fixture.PollAsync();

        Assert.Equal(10, early);
        Assert.Equal(140, fixture.Statistics.Snapshot().Missing);
        Assert.Equal(2, fixture.Log.Of(SnowpipeEvents.RowsMissing).Count);
    }

    [Theory]
    [InlineData("lost reply, counted before it is repeated")]
    [InlineData("lost reply, then reopened")]
    [InlineData("uncommitted rows dropped by a reopening")]
    [InlineData("refused rows")]
    [InlineData("a reading without a row, then killed")]
    [InlineData("a reading that the journal lost, then killed")]
    [InlineData("counted late, over a restart")]
    [InlineData("channel made anew, over a restart")]
    [InlineData("channel made anew, then killed")]
    [InlineData("a journal that moved on without the channel")]
    public async Task Nothing_is_called_missing_after(string what)
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        await fixture.DeliverAsync(0, 10);
        var end = 20;
        switch (what)
        {
            case "lost reply, counted before it is repeated":
                fixture.Server.Next("append", new Script(503, Applied: true));
                var batch = fixture.Batch(10, 10);
                await fixture.SendFailsAsync(batch);
                fixture.Server.Commit();
                await fixture.PollAsync();
                await fixture.SendAsync(batch);
                break;
            case "lost reply, then reopened":
                fixture.Server.Next("append", new Script(503, Applied: true));
                await fixture.SendFailsAsync(fixture.Batch(10, 10));
                fixture.Server.Commit();
                await fixture.OpenAsync();
                break;
            case "uncommitted rows dropped by a reopening":
                await fixture.SendAsync(fixture.Batch(10, 10));
                await fixture.OpenAsync();
                await fixture.SendAsync(fixture.Batch(10, 10));
                break;
            case "refused rows":
                await fixture.SendAsync(fixture.Batch(10, 10));
                fixture.Server.Commit(isCounted: false);
                (fixture.Server.Single.RowsInserted, fixture.Server.Single.RowErrors) = (17, 3);
                fixture.NewProcess();
                await fixture.OpenAsync();
                break;
            case "a reading without a row, then killed":
                await fixture.SendAsync(
                    fixture.Batch(10, 1, Encoding.UTF8.GetBytes($$"""{"note":"{{new string('x', 5_000_000)}}"}"""), isJson: true)
                );
                await fixture.SendAsync(fixture.Batch(11, 9));
                fixture.Server.Commit();
                fixture.NewProcess();
                await fixture.OpenAsync();
                break;
            case "a reading that the journal lost, then killed":
                await fixture.SendAsync(fixture.Batch(15, 5));
                fixture.Server.Commit();
                fixture.NewProcess();
                await fixture.OpenAsync();
                break;
            case "counted late, over a restart":
                await fixture.DeliverAsync(10, 10, isCounted: false);
                fixture.NewProcess();
                await fixture.OpenAsync();
                fixture.Clock.Advance(RowBalance.Patience * 0.9);
                fixture.Server.Single.RowsInserted = 20;
                await fixture.PollAsync();
                break;
            case "channel made anew, over a restart":
                fixture.NewProcess();
                fixture.Cursor = 10;
                fixture.Server.Make(SinkFixture.Channel);
                await fixture.OpenAsync();
                await fixture.SendAsync(fixture.Batch(10, 10));
                break;
            case "channel made anew, then killed":
                fixture.Cursor = 10;
                fixture.Server.Make(SinkFixture.Channel);
                await fixture.OpenAsync();
                await fixture.SendAsync(fixture.Batch(10, 90));
                fixture.Server.Commit();
                fixture.NewProcess();
                fixture.Cursor = 10;
                await fixture.OpenAsync();
                end = 100;
                break;
            case "a journal that moved on without the channel":
                fixture.NewProcess();
                (fixture.Cursor, fixture.FirstStored) = (20, 20);
                await fixture.OpenAsync();
                break;
        }
        fixture.Server.Commit();
        await fixture.PollAsync();
        for (var i = 0; i < 3; i++)
        {
            fixture.Clock.Advance(RowBalance.Patience);
            await fixture.DeliverAsync(end + i * 10, 10);
        }
        fixture.NewProcess();
        await fixture.OpenAsync();
        fixture.Clock.Advance(RowBalance.Patience);
        await fixture.PollAsync();

        Assert.Empty(fixture.Log.Of(SnowpipeEvents.RowsMissing));
    }

    [Fact]
    public async Task What_the_channel_should_count_is_not_written_down_with_every_commit()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        HashSet<string> notes = [];

        for (var first = 0; first < 600; first += 10)
        {
            await fixture.DeliverAsync(first, 10);
            notes.Add(File.ReadAllText(Path.Combine(fixture.Directory, "snowpipe-channel")));
            fixture.Clock.Advance(TimeSpan.FromMinutes(2));
        }

        Assert.InRange(notes.Count, 2, 3);
    }
}
