using ThermalStreaming.Forwarding;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SnowpipeForwarder.Tests;

/// <summary>What opens a channel again, and where delivery continues after it.</summary>
public class ReopeningTests
{
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
        Assert.Equal(!string.IsNullOrEmpty(committed), fixture.Log.Of(SnowpipeEvents.ForeignEpoch).Count > 0);
    }

    [Fact]
    public async Task Says_which_offsets_are_gone_when_the_journal_no_longer_has_what_is_not_committed()
    {
        await using var fixture = await SinkFixture.StartAsync();
        fixture.Server.Make(SinkFixture.Channel).Committed = SinkFixture.Token(9);
        (fixture.Cursor, fixture.FirstStored, fixture.End) = (50, 40, 100);

        var position = await fixture.OpenAsync();

        Assert.Equal(40, position.Offset);
        Assert.Contains(fixture.Log.Of(SnowpipeEvents.Gap), line => line.Contains("10 to 39", StringComparison.Ordinal));
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
    public async Task A_status_other_than_success_is_a_failure_at_open_and_at_poll_although_the_answer_is_200(
        string code,
        SinkFailure expected
    )
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

        Assert.Equal(
            [SinkFailure.Transient, SinkFailure.Transient, SinkFailure.Transient, SinkFailure.Transient, SinkFailure.Reopen],
            failures
        );
    }
}
