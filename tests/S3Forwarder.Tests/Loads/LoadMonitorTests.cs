using System.Text;
using System.Text.Json.Nodes;
using ThermalStreaming.Forwarding;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>What the monitor makes of Snowpipe's answers; the emulator is a process that loads, refuses and breaks off for real.</summary>
public sealed class LoadMonitorTests
{
    const string Good = "{\"a\":1}\n{\"a\":2}\n";

    [Fact]
    public async Task A_loaded_file_leaves_the_list_and_is_counted_with_its_rows_and_lag()
    {
        await using var stand = await LoadStand.StartAsync();
        await stand.UploadAsync("good.json", Good, 2, TimeSpan.FromMinutes(1));
        await stand.UploadAsync("waits.json", Good, 2, isAnnounced: false);
        await stand.Emulator.LoadedAsync(1);

        var pause = await stand.AskAsync();

        var status = stand.Status();
        Assert.Equal(["waits.json"], stand.Pending);
        Assert.Equal((1, 0, 0, 1, 0), Figures(status));
        Assert.Equal((2, 2), ((int)status["rows_loaded"]!, (int)status["rows_settled"]!));
        Assert.InRange((double)status["last_lag_seconds"]!, 50, 3600);
        Assert.Equal(stand.Options.Interval, pause);
        Assert.Empty(stand.Letters);
        Assert.Empty(stand.Warnings);
        Assert.True(stand.Health.IsReady);
    }

    [Fact]
    public async Task An_upload_that_was_dated_before_the_clock_was_set_is_not_given_up()
    {
        await using var stand = await LoadStand.StartAsync();
        await stand.AskAsync();
        // The machine was off for three weeks, and begins with the time of its shutdown.
        await stand.UploadAsync("backlog.json", Good, 2, TimeSpan.FromDays(21));
        await stand.Emulator.LoadedAsync(1);

        await stand.AskAsync();

        Assert.Empty(stand.Letters);
        Assert.Empty(stand.Warnings);
        Assert.Empty(stand.Pending);
        Assert.Equal((1, 0, 0, 0, 0), Figures(stand.Status()));
    }

    [Fact]
    public async Task A_file_that_fails_is_named_with_its_first_error_in_log_status_and_one_letter()
    {
        await using var stand = await LoadStand.StartAsync();
        await stand.UploadAsync("bad.json", "{\"a\":1}\n{\"a\":x}\n", 2);
        await stand.Emulator.LoadedAsync(1);

        await stand.AskAsync();
        await stand.AskAsync();

        var letter = Assert.Single(stand.Letters);
        Assert.Equal("s3://readings/inverter-data/bad.json", Encoding.UTF8.GetString(letter.Payload.Span));
        Assert.Equal(("snowpipe/DEMO.DEMO.INVERTER_PIPE", 2), (letter.Topic, letter.Readings));
        foreach (var said in (string[])["loaded 0 of 2 rows", "bad.json", "First error: ", ", line 2", "FILES = ('bad.json')", "GET_DDL"])
            Assert.Contains(said, letter.Reason, StringComparison.Ordinal);
        Assert.Contains("bad.json", Assert.Single(stand.Warnings), StringComparison.Ordinal);
        var last = stand.Status()["last_unloaded"]!;
        Assert.Equal("failed", (string?)last["state"]);
        Assert.Contains(", line 2", (string)last["error"]!, StringComparison.Ordinal);
        Assert.Empty(stand.Pending);
    }

    [Fact]
    public async Task A_file_that_is_loaded_in_part_is_not_to_be_loaded_again()
    {
        await using var stand = await LoadStand.StartAsync(sql =>
            sql.Replace("ON_ERROR = SKIP_FILE;", "ON_ERROR = CONTINUE;", StringComparison.Ordinal)
        );
        await stand.UploadAsync("part.json", "{\"a\":1}\n{\"a\":x}\n", 2);
        await stand.Emulator.LoadedAsync(1);

        await stand.AskAsync();

        var reason = Assert.Single(stand.Letters).Reason;
        Assert.Contains("loaded 1 of 2 rows", reason, StringComparison.Ordinal);
        Assert.Contains("do not load the file again", reason, StringComparison.Ordinal);
        Assert.Equal((0, 1, 0, 0, 0), Figures(stand.Status()));
    }

    [Fact]
    public async Task A_letter_about_a_file_stays_when_letters_are_replayed()
    {
        await using var stand = await LoadStand.StartAsync();
        await stand.UploadAsync("bad.json", "{\"a\":x}\n", 1);
        await stand.Emulator.LoadedAsync(1);
        await stand.AskAsync();
        var other = new DeadLetters(
            stand.LettersDirectory,
            1 << 24,
            TimeProvider.System,
            Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance
        );
        other.Add(new DeadLetter("unreadable", "telemetry/v1/pi/inverter", null, 0, "x"u8.ToArray()), DeadLetterOrigin.Unread);
        other.Flush();

        using var output = new StringWriter();
        var code = await ForwarderCommands.ReplayAsync(stand.LettersDirectory, output, TestContext.Current.CancellationToken);

        Assert.Equal(0, code);
        Assert.Contains("1 letters are about files", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("bad.json", Assert.Single(stand.Letters).Reason, StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(DeadLetters.ReplayDirectory(stand.LettersDirectory)));
    }

    [Fact]
    public async Task A_file_that_Snowpipe_has_not_seen_is_said_once_and_refreshed_and_loaded_once()
    {
        await using var stand = await LoadStand.StartAsync();
        await stand.UploadAsync("missed 1.json", Good, 2, TimeSpan.FromHours(2), isAnnounced: false);
        await stand.UploadAsync("new.json", Good, 2, isAnnounced: false);

        await stand.AskAsync();
        stand.NewProcess();
        await stand.AskAsync();
        var said = stand.Warnings.ToList();
        var missed = stand.Status();
        var first = await stand.RefreshAsync();
        await stand.Emulator.LoadedAsync(1);
        // The notification comes after all.
        stand.Announce("inverter-data/missed 1.json");
        await stand.RefreshAsync(allPending: true);
        await stand.Emulator.LoadedAsync(2);
        await stand.AskAsync();
        var again = await stand.RefreshAsync();

        Assert.Contains("missed 1.json", Assert.Single(said), StringComparison.Ordinal);
        Assert.Contains("loads refresh", said[0], StringComparison.Ordinal);
        Assert.Equal((0, 0, 0, 2, 1), Figures(missed));
        Assert.Equal((0, "1 objects were named to DEMO.DEMO.INVERTER_PIPE. It loads those that it has not read yet.\n"), first);
        Assert.Equal((2, 0, 0, 0, 0), Figures(stand.Status()));
        Assert.Equal(4, await stand.Emulator.RowsAsync());
        Assert.StartsWith("Nothing to refresh", again.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refresh_names_what_it_must_not_send()
    {
        await using var stand = await LoadStand.StartAsync(change: options =>
            options with
            {
                StageUrl = "s3://readings/inverter-data/2026/",
            }
        );
        await stand.UploadAsync("2026/old.json", Good, 2, TimeSpan.FromDays(13.5), isAnnounced: false);
        await stand.UploadAsync("other/a.json", Good, 2, isAnnounced: false);

        var (code, output) = await stand.RefreshAsync(allPending: true);

        Assert.Equal(1, code);
        Assert.Contains("1 objects are older than 13 days", output, StringComparison.Ordinal);
        Assert.Contains("1 objects do not lie below s3://readings/inverter-data/2026/", output, StringComparison.Ordinal);
        Assert.Equal(0, await stand.Emulator.RowsAsync());
    }

    [Fact]
    public async Task A_file_that_was_noted_again_after_its_load_is_found_before_it_counts_as_missed()
    {
        await using var stand = await LoadStand.StartAsync();
        await stand.UploadAsync("twice.json", Good, 2);
        await stand.Emulator.LoadedAsync(1);
        await stand.AskAsync();
        // As after a crash, long after the history was read: the plan is uploaded again, and everything is in place.
        await stand.List.UpdateAsync(list =>
        {
            list.ScannedUntil = TimeProvider.System.GetUtcNow() + TimeSpan.FromHours(1);
            return true;
        });
        await stand.UploadAsync("twice.json", Good, 2, TimeSpan.FromHours(2), isAnnounced: false);

        await stand.AskAsync();

        Assert.Empty(stand.Pending);
        Assert.Empty(stand.Warnings);
    }

    [Theory]
    [InlineData("status", 401, false)]
    [InlineData("status", 429, true)]
    [InlineData("status", 500, true)]
    [InlineData("status", 503, true)]
    [InlineData("abort", 0, true)]
    [InlineData("lost_reply", 0, true)]
    public async Task A_question_that_fails_is_asked_again_later_and_nothing_is_lost(string kind, int status, bool fails)
    {
        await using var stand = await LoadStand.StartAsync();
        await stand.UploadAsync("good.json", Good, 2);
        await stand.Emulator.LoadedAsync(1);
        var fault = new JsonObject
        {
            ["kind"] = kind,
            ["endpoint"] = "load_history",
            ["times"] = 1,
        };
        if (status > 0)
            (fault["status"], fault["retry_after"]) = (status, status == 429 ? "1800" : null);
        await stand.Emulator.FaultAsync(fault);

        var pause = await stand.AskAsync();

        // A refused token is made again at once; everything else waits, longer than usual.
        Assert.Equal(fails ? ["good.json"] : [], stand.Pending);
        Assert.Equal(fails, pause > stand.Options.Interval);
        if (status == 429)
            Assert.Equal(TimeSpan.FromMinutes(30), pause);
        if (fails)
        {
            Assert.Contains("It is not known whether objects are loaded", Assert.Single(stand.Warnings), StringComparison.Ordinal);
            Assert.NotNull((string?)stand.Status()["problem"]);
        }
        Assert.True(stand.Health.IsReady);

        await stand.AskAsync();

        Assert.Empty(stand.Pending);
        Assert.Null(stand.Status()["problem"]);
        Assert.Equal((1, 0, 0, 0, 0), Figures(stand.Status()));
    }

    [Fact]
    public async Task Refusals_make_the_pauses_longer_up_to_an_hour_and_cost_one_call_each()
    {
        await using var stand = await LoadStand.StartAsync();
        await stand.UploadAsync("a.json", Good, 2, isAnnounced: false);
        await stand.Emulator.FaultAsync(
            new JsonObject
            {
                ["kind"] = "status",
                ["endpoint"] = "load_history",
                ["status"] = 429,
                ["times"] = 6,
            }
        );

        List<double> pauses = [];
        for (var i = 0; i < 6; i++)
            pauses.Add((await stand.AskAsync()).TotalMinutes);

        Assert.Equal([16, 32, 60, 60, 60, 60], pauses);
        Assert.Equal(0, await stand.Emulator.FaultsLeftAsync());
        Assert.Single(stand.Warnings);
        Assert.Equal(stand.Options.Interval, await stand.AskAsync());
    }

    [Theory]
    [InlineData("NO_PIPE", "", "MONITOR, OPERATE ON PIPE DEMO.DEMO.NO_PIPE")]
    [InlineData("", "STRANGER", "LOGIN_NAME")]
    public async Task What_only_a_person_can_change_is_said_with_its_cure(string pipe, string user, string said)
    {
        await using var stand = await LoadStand.StartAsync(change: options =>
            options with
            {
                Pipe = pipe.Length > 0 ? pipe : options.Pipe,
                User = user.Length > 0 ? user : options.User,
            }
        );
        await stand.UploadAsync("a.json", Good, 2);

        await stand.AskAsync();
        var (code, output) = await stand.RefreshAsync(allPending: true);

        Assert.Contains(said, Assert.Single(stand.Warnings), StringComparison.Ordinal);
        Assert.Equal(1, code);
        Assert.Contains(said, output, StringComparison.Ordinal);
        Assert.Equal(["a.json"], stand.Pending);
        Assert.False(stand.List.Read().Files.First().RefreshedAt.HasValue);
    }

    [Fact]
    public async Task An_incomplete_answer_is_read_on_from_its_end()
    {
        await using var stand = await LoadStand.StartAsync();
        await stand.UploadAsync("first.json", Good, 2);
        await stand.UploadAsync("good.json", Good, 2);
        await stand.Emulator.LoadedAsync(2);
        var now = TimeProvider.System.GetUtcNow();
        // The first call only learns Snowflake's time.
        await stand.Emulator.FaultAsync(
            new JsonObject
            {
                ["kind"] = "status",
                ["endpoint"] = "load_history",
                ["status"] = 200,
                ["skip"] = 1,
                ["body"] = new JsonObject
                {
                    ["completeResult"] = false,
                    ["rangeEndTime"] = (now - TimeSpan.FromMinutes(4)).ToString("O"),
                    ["files"] = new JsonArray(
                        new JsonObject
                        {
                            ["path"] = "good.json",
                            ["stageLocation"] = "s3://readings/inverter-data/",
                            ["status"] = "LOAD_IN_PROGRESS",
                        }
                    ),
                }.ToJsonString(),
            }
        );

        await stand.AskAsync();

        Assert.Empty(stand.Pending);
        Assert.Equal((2, 0, 0, 0, 0), Figures(stand.Status()));
    }

    [Theory]
    [InlineData("{\"files\":[],\"completeResult\":false}")]
    [InlineData("{\"completeResult\":true}")]
    [InlineData("<html><title>Sign in to the network</title></html>")]
    [InlineData("[]")]
    [InlineData("")]
    public async Task An_answer_that_is_not_Snowpipes_settles_nothing(string body)
    {
        await using var stand = await LoadStand.StartAsync();
        await stand.UploadAsync("good.json", Good, 2);
        await stand.Emulator.LoadedAsync(1);
        await stand.Emulator.FaultAsync(
            new JsonObject
            {
                ["kind"] = "status",
                ["endpoint"] = "load_history",
                ["status"] = 200,
                ["body"] = body,
                ["skip"] = 1,
            }
        );

        var pause = await stand.AskAsync();

        Assert.True(pause > stand.Options.Interval);
        Assert.Equal(["good.json"], stand.Pending);
        await stand.AskAsync();
        Assert.Empty(stand.Pending);
    }

    [Fact]
    public async Task A_kill_between_the_letter_and_the_list_costs_a_second_letter_and_never_the_only_one()
    {
        await using var stand = await LoadStand.StartAsync();
        await stand.UploadAsync("bad.json", "{\"a\":x}\n", 1);
        await stand.Emulator.LoadedAsync(1);
        // The list cannot be replaced: its temporary file is a directory.
        var temporary = Directory.CreateDirectory(stand.List.Path + ".tmp");

        await Assert.ThrowsAnyAsync<Exception>(stand.AskAsync);
        await Assert.ThrowsAnyAsync<Exception>(stand.AskAsync);
        var before = stand.Letters.Count;
        stand.NewProcess();
        temporary.Delete();
        await stand.AskAsync();

        Assert.Equal((1, 2), (before, stand.Letters.Count));
        Assert.Empty(stand.Pending);
    }

    [Fact]
    public async Task A_file_that_the_history_never_knew_becomes_a_letter_after_14_days()
    {
        await using var stand = await LoadStand.StartAsync();
        await stand.UploadAsync("old.json", Good, 2, TimeSpan.FromDays(15), isAnnounced: false);

        await stand.AskAsync();

        Assert.Contains("never listed s3://readings/inverter-data/old.json", Assert.Single(stand.Letters).Reason, StringComparison.Ordinal);
        Assert.Empty(stand.Pending);
        Assert.Equal(1, (int)stand.Status()["given_up"]!);
    }

    [Fact]
    public async Task Without_uploads_nothing_is_asked()
    {
        await using var stand = await LoadStand.StartAsync();
        await stand.Emulator.FaultAsync(
            new JsonObject
            {
                ["kind"] = "status",
                ["endpoint"] = "load_history",
                ["status"] = 500,
            }
        );

        await stand.AskAsync();

        Assert.Equal(1, await stand.Emulator.FaultsLeftAsync());
        Assert.Empty(stand.Warnings);
    }

    [Fact]
    public async Task No_log_line_and_no_page_shows_a_token_or_the_key()
    {
        await using var stand = await LoadStand.StartAsync(change: options => options with { User = "STRANGER" });
        await stand.UploadAsync("a.json", Good, 2);

        await stand.AskAsync();
        var (_, output) = await stand.RefreshAsync(allPending: true);

        var said = string.Join('\n', stand.Log.GetSnapshot().Select(entry => entry.Message)) + output + stand.Status().ToJsonString();
        Assert.DoesNotContain("eyJ", said, StringComparison.Ordinal);
        Assert.DoesNotContain("PRIVATE KEY", said, StringComparison.Ordinal);
    }

    /// <summary>Loaded, in part, failed, pending, missed.</summary>
    static (int, int, int, int, int) Figures(JsonNode status) =>
        ((int)status["loaded"]!, (int)status["partially_loaded"]!, (int)status["failed"]!, (int)status["pending"]!, (int)status["missed"]!);
}
