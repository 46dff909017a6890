using System.Text;
using ThermalStreaming.Forwarding;
using Xunit.Abstractions;

namespace ThermalStreaming.SnowpipeForwarder.Tests;

public class SinkTests(ITestOutputHelper output)
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

    [Theory]
    [InlineData("Range")]
    [InlineData("Single")]
    public async Task Sends_offset_tokens_in_either_form(string form)
    {
        await using var fixture = await SinkFixture.StartAsync(("SNOWFLAKE_OFFSET_TOKENS", form));
        await fixture.OpenAsync();

        await fixture.SendAsync(fixture.Batch(0, 10));

        var query = fixture.Server.Of("append").Single().Query;
        Assert.Equal(form == "Range" ? SinkFixture.Token(0) : null, query.GetValueOrDefault("startOffsetToken"));
        Assert.Equal(form == "Range" ? SinkFixture.Token(9) : null, query.GetValueOrDefault("endOffsetToken"));
        Assert.Equal(form == "Single" ? SinkFixture.Token(9) : null, query.GetValueOrDefault("offsetToken"));
    }

    [Fact]
    public async Task Every_call_carries_the_headers_that_Snowflake_wants()
    {
        await using var fixture = await SinkFixture.StartAsync();

        await fixture.OpenAsync();
        await fixture.SendAsync(fixture.Batch(0, 3));
        await fixture.PollAsync();

        Assert.All(fixture.Server.Calls, call => Assert.Equal("application/json", call.Headers["Accept"]));
        Assert.All(fixture.Server.Calls, call => Assert.Matches(@"^SnowpipeStreamingSDK/\d+\.\d+\.\d+ \(.+\) DOTNET/\d+\.\S+ \(app=thermal-streaming\)$", call.Headers["User-Agent"]));
        var append = fixture.Server.Of("append").Single();
        Assert.Equal("OAUTH", append.Headers["X-Snowflake-Authorization-Token-Type"]);
        Assert.Equal("application/x-ndjson", append.Headers["Content-Type"]);
        Assert.Equal("gzip", append.Headers["Content-Encoding"]);
        Assert.Equal(Call.Gunzip(append.Body).Length.ToString(System.Globalization.CultureInfo.InvariantCulture), append.Headers["x-snowflake-uncompressed-content-length"]);
        Assert.Equal("MTI3LjAuMC4xOjE=", append.Headers["x-snowflake-session"]);
        Assert.Equal((byte)'\n', Call.Gunzip(append.Body)[^1]);
        Assert.Equal("KEYPAIR_JWT", fixture.Server.Of("hostname").Single().Headers["X-Snowflake-Authorization-Token-Type"]);
        Assert.All(fixture.Server.Calls.Where(call => call.Kind is "open" or "append" or "status"), call => Assert.True(Guid.TryParse(call.Query["requestId"], out _)));
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
        Assert.Empty(fixture.Log);
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
        Assert.Contains(fixture.Log, line => line.StartsWith("Error 414", StringComparison.Ordinal));
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

    [Fact]
    public async Task After_a_stale_token_it_reopens_and_replays_from_the_committed_token()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        await fixture.SendAsync(fixture.Batch(0, 10));
        fixture.Server.Commit();
        await fixture.SendAsync(fixture.Batch(10, 10));
        fixture.Server.Single.ClientSequencer++;

        var failure = await fixture.SendFailsAsync(fixture.Batch(20, 10));
        var position = await fixture.OpenAsync();
        await fixture.SendAsync(fixture.Batch(10, 10));
        await fixture.SendAsync(fixture.Batch(20, 10));
        fixture.Server.Commit();
        var commit = await fixture.PollAsync();

        Assert.Equal(SinkFailure.Reopen, failure.Failure);
        Assert.Equal(10, position.Offset);
        Assert.Equal(30, commit.Offset);
        Assert.Equal(Enumerable.Range(0, 30).Select(offset => (long)offset), SinkFixture.Offsets(fixture.Server.Table));
    }

    [Fact]
    public async Task Nothing_is_sent_through_a_channel_that_must_be_reopened()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        fixture.Server.Next("append", new Script(409));
        await fixture.SendFailsAsync(fixture.Batch(0, 1));

        var again = await fixture.SendFailsAsync(fixture.Batch(0, 1));
        var poll = await fixture.PollFailsAsync();

        Assert.Equal(SinkFailure.Reopen, again.Failure);
        Assert.Equal(SinkFailure.Reopen, poll.Failure);
        Assert.Single(fixture.Server.Of("append"));
    }

    [Fact]
    public async Task A_restart_goes_on_behind_the_committed_token_wherever_the_cursor_is()
    {
        await using var fixture = await SinkFixture.StartAsync();
        fixture.Server.Make(SinkFixture.Channel).Committed = SinkFixture.Token(41);
        (fixture.Cursor, fixture.End) = (30, 100);

        var advanced = await fixture.OpenAsync();
        fixture.Cursor = 60;
        var rewound = await fixture.OpenAsync();

        Assert.Equal(42, advanced.Offset);
        Assert.Equal(42, rewound.Offset);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("ffffffffffffffff:00000000000000000500")]
    [InlineData("17")]
    public async Task Without_a_token_of_this_journal_the_cursor_counts(string? committed)
    {
        await using var fixture = await SinkFixture.StartAsync();
        fixture.Server.Make(SinkFixture.Channel).Committed = committed;
        (fixture.Cursor, fixture.FirstStored, fixture.End) = (30, 20, 100);

        var position = await fixture.OpenAsync();
        var commit = await fixture.PollAsync();

        Assert.Equal(30, position.Offset);
        Assert.Equal(30, commit.Offset);
        Assert.Equal(!string.IsNullOrEmpty(committed), fixture.Log.Any(line => line.StartsWith("Warning 415", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Says_which_offsets_are_gone_when_the_journal_no_longer_has_what_is_not_committed()
    {
        await using var fixture = await SinkFixture.StartAsync();
        fixture.Server.Make(SinkFixture.Channel).Committed = SinkFixture.Token(9);
        (fixture.Cursor, fixture.FirstStored, fixture.End) = (50, 40, 100);

        var position = await fixture.OpenAsync();

        Assert.Equal(40, position.Offset);
        Assert.Contains(fixture.Log, line => line.StartsWith("Error 413", StringComparison.Ordinal) && line.Contains("10 to 39", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_token_beyond_the_journals_end_moves_delivery_to_a_new_channel_and_survives_a_restart()
    {
        await using var fixture = await SinkFixture.StartAsync();
        fixture.Server.Make(SinkFixture.Channel).Committed = SinkFixture.Token(139);
        (fixture.Cursor, fixture.End) = (90, 100);

        var position = await fixture.OpenAsync();
        await fixture.SendAsync(fixture.Batch(100, 5));
        var uncommitted = await fixture.PollAsync();
        fixture.Server.Commit();
        var commit = await fixture.PollAsync();
        fixture.NewProcess();
        (fixture.Cursor, fixture.End) = (90, 105);
        var restarted = await fixture.OpenAsync();

        Assert.Equal(100, position.Offset);
        Assert.Equal(100, uncommitted.Offset);
        Assert.Equal(105, commit.Offset);
        Assert.Equal(105, restarted.Offset);
        Assert.Contains(SinkFixture.Channel + "-2", fixture.Server.ChannelNames);
        Assert.Contains(fixture.Log, line => line.StartsWith("Error 412", StringComparison.Ordinal));
    }

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
        var line = Assert.Single(fixture.Log, line => line.StartsWith("Error 410", StringComparison.Ordinal));
        Assert.Contains("refused 1 rows between offsets 10 and 14: NULL result in a non-nullable column", line);
        Assert.Equal(5, fixture.DeadLetters.Count);
    }

    [Fact]
    public async Task Rows_that_are_committed_and_never_counted_are_an_error_with_offsets_and_dead_letters()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        await DeliverAsync(fixture, 0, 10);

        // An invalid pipe answers 200, drops the rows and goes on with the next append.
        await DeliverAsync(fixture, 10, 4, isCounted: false);
        await DeliverAsync(fixture, 14, 6);
        Assert.Equal(0, fixture.DeadLetters.Count);
        fixture.Clock.Advance(RowBalance.Patience);
        await DeliverAsync(fixture, 20, 10);
        fixture.Clock.Advance(RowBalance.Patience);
        await DeliverAsync(fixture, 30, 10);

        var line = Assert.Single(fixture.Log, line => line.StartsWith("Error 416", StringComparison.Ordinal));
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
        await DeliverAsync(fixture, 0, 10);

        for (var first = 10; first < 100; first += 10)
        {
            await DeliverAsync(fixture, first, 10, isCounted: false);
            fixture.Clock.Advance(RowBalance.Patience * 0.9);
            fixture.Server.Single.RowsInserted += 10;
            await fixture.PollAsync();
        }

        Assert.DoesNotContain(fixture.Log, line => line.StartsWith("Error 416", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Nothing_is_called_missing_where_the_counts_have_never_agreed_or_begin_anew()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        // A pipe with WHERE.
        await DeliverAsync(fixture, 0, 10, isCounted: false);
        fixture.Clock.Advance(RowBalance.Patience * 2);
        await DeliverAsync(fixture, 10, 10);
        // From now on they agree, until the channel is made anew.
        await fixture.OpenAsync();
        await DeliverAsync(fixture, 20, 10);
        fixture.Server.Single.RowsInserted = 0;
        await fixture.PollAsync();
        fixture.Clock.Advance(RowBalance.Patience * 2);
        await DeliverAsync(fixture, 30, 10);

        Assert.DoesNotContain(fixture.Log, line => line.StartsWith("Error 416", StringComparison.Ordinal));
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
        await DeliverAsync(fixture, 0, 10);
        await DeliverAsync(fixture, 10, 10);

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
        var line = Assert.Single(fixture.Log, line => line.StartsWith("Error 416", StringComparison.Ordinal));
        Assert.Contains(how.Contains("killed", StringComparison.Ordinal) ? "4 rows between offsets 10 and 23 are committed" : "4 rows between offsets 20 and 23 are committed", line);
    }

    [Fact]
    public async Task What_is_missing_is_said_once_and_as_a_whole()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        await DeliverAsync(fixture, 0, 10);

        for (var first = 10; first < 50; first += 10)
        {
            await DeliverAsync(fixture, first, 10, isCounted: false);
            fixture.Clock.Advance(TimeSpan.FromSeconds(5));
        }
        fixture.Clock.Advance(TimeSpan.FromSeconds(5));
        await fixture.PollAsync();

        var line = Assert.Single(fixture.Log, line => line.StartsWith("Error 416", StringComparison.Ordinal));
        Assert.Contains("40 rows between offsets 10 and 49 are committed", line);
        Assert.Equal(40, fixture.Statistics.Snapshot().Missing);
    }

    [Fact]
    public async Task What_goes_on_to_be_dropped_is_said_after_a_minute()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        await DeliverAsync(fixture, 0, 10);

        for (var first = 10; first < 150; first += 10)
        {
            await DeliverAsync(fixture, first, 10, isCounted: false);
            fixture.Clock.Advance(TimeSpan.FromSeconds(5));
        }
        var early = fixture.Statistics.Snapshot().Missing;
        fixture.Clock.Advance(RowBalance.Patience);
        await fixture.PollAsync();

        Assert.Equal(10, early);
        Assert.Equal(140, fixture.Statistics.Snapshot().Missing);
        Assert.Equal(2, fixture.Log.Count(line => line.StartsWith("Error 416", StringComparison.Ordinal)));
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
        await DeliverAsync(fixture, 0, 10);
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
                await fixture.SendAsync(fixture.Batch(10, 1, Encoding.UTF8.GetBytes($$"""{"note":"{{new string('x', 5_000_000)}}"}"""), isJson: true));
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
                await DeliverAsync(fixture, 10, 10, isCounted: false);
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
            await DeliverAsync(fixture, end + i * 10, 10);
        }
        fixture.NewProcess();
        await fixture.OpenAsync();
        fixture.Clock.Advance(RowBalance.Patience);
        await fixture.PollAsync();

        Assert.DoesNotContain(fixture.Log, line => line.StartsWith("Error 416", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_the_channel_should_count_is_not_written_down_with_every_commit()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        HashSet<string> notes = [];

        for (var first = 0; first < 600; first += 10)
        {
            await DeliverAsync(fixture, first, 10);
            notes.Add(File.ReadAllText(Path.Combine(fixture.Directory, "snowpipe-channel")));
            fixture.Clock.Advance(TimeSpan.FromMinutes(2));
        }

        Assert.InRange(notes.Count, 2, 3);
    }

    [Fact]
    public async Task Delivers_through_no_channel_while_it_cannot_be_read_which_one_is_the_last()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await OpenSecondGenerationAsync(fixture);
        var note = Path.Combine(fixture.Directory, "snowpipe-channel");
        var text = File.ReadAllText(note);
        File.Delete(note);
        Directory.CreateDirectory(note);
        fixture.End = 1000;
        fixture.NewProcess();

        var refused = await Assert.ThrowsAsync<SinkException>(fixture.OpenAsync);
        Directory.Delete(note);
        File.WriteAllText(note, text);
        await fixture.OpenAsync();

        Assert.Equal(SinkFailure.Transient, refused.Failure);
        Assert.Contains("cannot be read", refused.Message, StringComparison.Ordinal);
        Assert.Equal(text, File.ReadAllText(note));
        Assert.Contains(" 2 ", text, StringComparison.Ordinal);
    }

    /// <summary>Through the first generation's channel it would skip what the journal numbered anew, or send again what the second one's has.</summary>
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    // Then only the pipe can say.
    [InlineData(true, true)]
    public async Task A_damaged_record_of_the_channel_costs_nothing_wherever_it_is_damaged(bool isFileDamaged, bool isCopyDamaged)
    {
        await using var fixture = await SinkFixture.StartAsync();
        await OpenSecondGenerationAsync(fixture);
        fixture.End = 1000;
        await DeliverAsync(fixture, 5, 2);
        // Forgotten, as after a month.
        fixture.Server.Forget(SinkFixture.Channel);
        var note = Path.Combine(fixture.Directory, "snowpipe-channel");
        var bytes = File.ReadAllBytes(note);
        Assert.Equal(bytes, File.ReadAllBytes(note + ".copy"));

        // Every byte changed, and every length.
        foreach (var damaged in Enumerable.Range(0, bytes.Length).SelectMany(at => new[] { [.. bytes[..at], (byte)(bytes[at] ^ 1), .. bytes[(at + 1)..]], bytes[..at] }))
        {
            if (isFileDamaged)
                File.WriteAllBytes(note, damaged);
            if (isCopyDamaged)
                File.WriteAllBytes(note + ".copy", damaged);
            fixture.NewProcess();

            Assert.Equal(7, (await fixture.OpenAsync()).Offset);
            Assert.Equal(File.ReadAllBytes(note), File.ReadAllBytes(note + ".copy"));
        }

        Assert.Equal([SinkFixture.Channel + "-2"], fixture.Server.ChannelNames);
        Assert.Contains(fixture.Log, line => line.StartsWith(isFileDamaged && isCopyDamaged ? "Error 417" : "Error 418", StringComparison.Ordinal));
    }

    /// <summary>Ten readings are committed; then the disk has lost half of them, which it had called durable.</summary>
    static async Task OpenSecondGenerationAsync(SinkFixture fixture)
    {
        await fixture.OpenAsync();
        await DeliverAsync(fixture, 0, 10);
        fixture.End = 5;
        fixture.NewProcess();
        await fixture.OpenAsync();
    }

    static async Task DeliverAsync(SinkFixture fixture, long first, int count, bool isCounted = true)
    {
        await fixture.SendAsync(fixture.Batch(first, count));
        fixture.Server.Commit(isCounted: isCounted);
        await fixture.PollAsync();
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
        Assert.Single(fixture.Log, line => line.StartsWith("Error 410", StringComparison.Ordinal) && line.Contains("refused 2 rows between offsets 0 and 9", StringComparison.Ordinal));
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

    [Fact]
    public async Task A_channel_that_the_pipe_forgot_is_reopened_even_when_idle()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        fixture.Server.Forget(SinkFixture.Channel);

        var failure = await fixture.PollFailsAsync();

        Assert.Equal(SinkFailure.Reopen, failure.Failure);
    }

    [Theory]
    [InlineData("ERR_CHANNEL_MUST_BE_REOPENED", SinkFailure.Reopen)]
    [InlineData("SOMETHING_NEW", SinkFailure.Reopen)]
    [InlineData("", SinkFailure.Reopen)]
    [InlineData("ERR_PIPE_IN_INVALID_STATE", SinkFailure.NeedsOperator)]
    [InlineData("ERR_TABLE_DOES_NOT_EXIST_NOT_AUTHORIZED", SinkFailure.NeedsOperator)]
    public async Task A_status_other_than_success_is_a_failure_at_open_and_at_poll_although_the_answer_is_200(string code, SinkFailure expected)
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        fixture.Server.Single.Status = code;

        var poll = await fixture.PollFailsAsync();
        var open = await fixture.OpenFailsAsync();

        Assert.Equal(expected, poll.Failure);
        Assert.Equal(expected, open.Failure);
        Assert.Empty(fixture.Server.Of("append"));
    }

    [Fact]
    public async Task ACTIVE_is_as_good_as_SUCCESS()
    {
        await using var fixture = await SinkFixture.StartAsync();
        fixture.Server.Make(SinkFixture.Channel).Status = "ACTIVE";

        await fixture.OpenAsync();
        var commit = await fixture.PollAsync();

        Assert.Equal(0, commit.Offset);
    }

    [Fact]
    public async Task A_missing_pipe_is_found_before_the_first_append_and_says_what_to_do()
    {
        await using var fixture = await SinkFixture.StartAsync();
        fixture.Server.PipeExists = false;

        var failure = await fixture.OpenFailsAsync();

        Assert.Equal(SinkFailure.NeedsOperator, failure.Failure);
        Assert.Contains("DEMO.PUBLIC.THERMAL_PIPE", failure.Message);
        Assert.Contains("SNOWFLAKE_PIPE", failure.Message);
        Assert.Empty(fixture.Server.Of("open"));
    }

    [Fact]
    public async Task The_default_pipe_may_be_missing_before_the_first_open()
    {
        await using var fixture = await SinkFixture.StartAsync(("SNOWFLAKE_PIPE", "thermal-streaming"));
        fixture.Server.Next("status", new Script(404, """{"code":"ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED","message":""}"""));

        var position = await fixture.OpenAsync();

        Assert.Equal(0, position.Offset);
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
        Assert.StartsWith($"/v2/streaming/data/databases/DEMO/schemas/PUBLIC/tables/{table}/rows?requestId=", fixture.Server.Of("elastic").Single().RawTarget);
    }

    [Fact]
    public async Task A_number_other_than_0_beside_SUCCESS_is_a_failure()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        fixture.Server.StatusNumber = 5;

        var failure = await fixture.PollFailsAsync();

        Assert.Equal(SinkFailure.Reopen, failure.Failure);
    }

    [Fact]
    public async Task A_stream_that_says_success_and_commits_nothing_is_reopened()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        fixture.Clock.Advance(TimeSpan.FromHours(1));
        await fixture.SendAsync(fixture.Batch(0, 10));
        fixture.Clock.Advance(TimeSpan.FromSeconds(119));
        await fixture.PollAsync();
        fixture.Clock.Advance(TimeSpan.FromSeconds(2));

        var failure = await fixture.PollFailsAsync();
        var position = await fixture.OpenAsync();

        Assert.Equal(SinkFailure.Reopen, failure.Failure);
        Assert.Equal(0, position.Offset);
    }

    [Fact]
    public async Task A_committed_token_that_goes_back_reopens_and_rewinds()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        await fixture.SendAsync(fixture.Batch(0, 10));
        fixture.Server.Commit();
        await fixture.PollAsync();
        (fixture.Server.Single.Committed, fixture.Cursor) = (SinkFixture.Token(4), 10);

        var failure = await fixture.PollFailsAsync();
        var position = await fixture.OpenAsync();

        Assert.Equal(SinkFailure.Reopen, failure.Failure);
        Assert.Equal(5, position.Offset);
    }

    [Fact]
    public async Task A_batch_without_a_row_is_passed_over_once_although_no_token_ever_says_so()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        await fixture.SendAsync(fixture.Batch(0, 1));
        await fixture.SendAsync(fixture.Batch(1, 1, Encoding.UTF8.GetBytes($$"""{"note":"{{new string('x', 5_000_000)}}"}"""), isJson: true));
        fixture.Server.Commit();

        var first = await fixture.PollAsync();
        var second = await fixture.PollAsync();

        Assert.Equal(2, first.Offset);
        Assert.Equal(2, second.Offset);
        Assert.Equal(1, fixture.DeadLetters.Count);
    }

    [Fact]
    public async Task A_410_discovers_the_host_signs_in_and_opens_again()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        fixture.Server.Next("append", new Script(410, "Gone"));

        var failure = await fixture.SendFailsAsync(fixture.Batch(0, 1));
        await fixture.OpenAsync();

        Assert.Equal(SinkFailure.Reopen, failure.Failure);
        Assert.Equal(2, fixture.Server.Of("hostname").Count());
        Assert.Equal(2, fixture.Server.Of("token").Count());
        Assert.Equal(2, fixture.Server.Of("open").Count());
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
    public async Task A_second_401_needs_the_operator()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        fixture.Server.Next("append", new Script(401), new Script(401));

        var failure = await fixture.SendFailsAsync(fixture.Batch(0, 10));

        Assert.Equal(SinkFailure.NeedsOperator, failure.Failure);
        Assert.Contains("RSA_PUBLIC_KEY", failure.Message);
    }

    [Fact]
    public async Task A_channel_that_is_not_authorised_is_reopened_once_and_then_is_a_matter_of_grants()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        var script = new Script(400, """{"code":"ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED","message":""}""");
        fixture.Server.Next("append", script, script);

        var first = await fixture.SendFailsAsync(fixture.Batch(0, 1));
        await fixture.OpenAsync();
        var second = await fixture.SendFailsAsync(fixture.Batch(0, 1));

        Assert.Equal(SinkFailure.Reopen, first.Failure);
        Assert.Equal(SinkFailure.NeedsOperator, second.Failure);
        Assert.Contains("GRANT", second.Message);
    }

    [Fact]
    public async Task Answers_that_make_no_sense_are_retried_five_times_and_then_reopen()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        var batch = fixture.Batch(0, 1);
        fixture.Server.Next("append", [.. Enumerable.Repeat(new Script(400, """{"code":"NEVER_SEEN","message":"?"}"""), 5)]);

        List<SinkFailure> failures = [];
        for (var i = 0; i < 5; i++)
            failures.Add((await fixture.SendFailsAsync(batch)).Failure);

        Assert.Equal([SinkFailure.Transient, SinkFailure.Transient, SinkFailure.Transient, SinkFailure.Transient, SinkFailure.Reopen], failures);
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
        var lines = Enumerable.Range(0, 40).Select(i => $$"""{"note":"{{(i == 20 ? Convert.ToBase64String(Bytes(random, 200_000)) : "small")}}"}""");
        var payload = Encoding.UTF8.GetBytes(string.Join('\n', lines));

        await DeliverAllAsync(fixture, () => fixture.Batch(0, 40, payload, isJson: true));

        Assert.Equal(Enumerable.Range(0, 40).Where(offset => offset != 20).Select(offset => (long)offset), SinkFixture.Offsets(fixture.Server.Table));
        Assert.Equal(1, fixture.DeadLetters.Count);
        Assert.Contains(fixture.Log, line => line.StartsWith("Error 411", StringComparison.Ordinal) && line.Contains("offset 20 makes a row", StringComparison.Ordinal));
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
        }
        while (failure.Failure == SinkFailure.Reopen);

        Assert.Equal(SinkFailure.NeedsOperator, failure.Failure);
        Assert.Contains("Raise the limit of the proxy", failure.Message);
        Assert.Equal(0, fixture.DeadLetters.Count);
    }

    static void RefuseAbove(SinkFixture fixture, int limit) => fixture.Server.Before = call =>
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
        Assert.Contains(fixture.Log, line => line.StartsWith("Error 411", StringComparison.Ordinal) && line.Contains("offset 0", StringComparison.Ordinal));
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
        Assert.Equal(calls.Skip(1).Select(call => call.Query["startOffsetToken"]), calls.SkipLast(1).Select(call => SinkFixture.Token(OffsetToken.TryParse(call.Query["endOffsetToken"], out var token) ? token.Offset + 1 : -1)));
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

    static byte[] Bytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>All was committed, and the cursor says so; the count of refused rows came only after that, and the process was restarted in between.</summary>
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
}
