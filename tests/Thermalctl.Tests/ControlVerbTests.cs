using Google.Protobuf.WellKnownTypes;
using ThermalStreaming.Control;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>The verbs that ask agents and forwarders to do something, as processes.</summary>
public sealed class ControlVerbTests : IDisposable
{
    readonly TempDirectory directory = new();
    readonly string token;

    public ControlVerbTests()
    {
        token = directory.File("token");
        File.WriteAllText(token, FakeService.Token + "\n");
    }

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Pause_reaches_all_forwarders_and_resume_takes_it_back()
    {
        var (one, two) = (new FakeForwarder(), new FakeForwarder("s3-forwarder", "two"));
        await using var first = await FakeService.StartAsync(one);
        await using var second = await FakeService.StartAsync(two);
        string[] all = ["--forwarder", first.Address, "--forwarder", second.Address, "--token-file", token];

        var paused = await OperatorProcess.RunAsync(["pause", "--reason", "new key", .. all]);
        var resumed = await OperatorProcess.RunAsync(["resume", .. all]);

        Assert.Equal((0, 0), (paused.ExitCode, resumed.ExitCode));
        Assert.Equal(["new key", "new key"], one.Pauses.Concat(two.Pauses));
        Assert.Contains("✓ s3-forwarder two: paused", paused.Output, StringComparison.Ordinal);
        Assert.Contains("✓ s3-forwarder two: delivers again", resumed.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, "needs a token, but has none")]
    [InlineData(true, "refused the token")]
    public async Task Without_the_right_token_nothing_changes_and_the_answer_says_how_to_get_it(bool hasWrong, string expected)
    {
        var forwarder = new FakeForwarder();
        await using var service = await FakeService.StartAsync(forwarder);
        await File.WriteAllTextAsync(token, "the-token-of-another-installation\n", TestContext.Current.CancellationToken);

        var (code, answer) = await OperatorProcess.JsonAsync([
            "pause",
            "--forwarder",
            service.Address,
            .. hasWrong ? ["--token-file", token] : Array.Empty<string>(),
        ]);

        Assert.Equal(1, code);
        Assert.Empty(forwarder.Pauses);
        var row = answer["replicas"]![0]!;
        Assert.Equal((false, expected), ((bool)row["ok"]!, (string)row["problem"]!));
        Assert.Contains("--token-file", (string)row["fix"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    public async Task A_file_that_holds_no_token_is_refused_before_anything_is_asked(string text)
    {
        await File.WriteAllTextAsync(token, text, TestContext.Current.CancellationToken);

        var answer = await OperatorProcess.RunAsync("pause", "--token-file", token);

        Assert.Equal(1, answer.ExitCode);
        Assert.Contains($"{token} does not hold a token", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_replica_that_does_not_answer_makes_it_partly_done()
    {
        var well = new FakeForwarder(replica: "two");
        await using var first = await FakeService.StartAsync(well);
        await using var second = await FakeService.StartAsync(new FakeForwarder { IsFrozen = true });

        var answer = await OperatorProcess.RunAsync(
            "pause",
            "--patience",
            "10s",
            "--forwarder",
            first.Address,
            "--forwarder",
            second.Address,
            "--token-file",
            token
        );

        Assert.Equal(3, answer.ExitCode);
        Assert.Single(well.Pauses);
    }

    [Fact]
    public async Task Only_the_named_replica_is_asked_and_a_name_that_nobody_has_is_refused()
    {
        var (one, two) = (new FakeForwarder(), new FakeForwarder(replica: "two"));
        await using var first = await FakeService.StartAsync(one);
        await using var second = await FakeService.StartAsync(two);
        string[] all = ["--forwarder", first.Address, "--forwarder", second.Address, "--token-file", token];

        Assert.Equal(0, (await OperatorProcess.RunAsync(["pause", "--replica", "two", .. all])).ExitCode);
        var nobody = await OperatorProcess.RunAsync(["pause", "--replica", "three", .. all]);

        Assert.Empty(one.Pauses);
        Assert.Single(two.Pauses);
        Assert.Equal(2, nobody.ExitCode);
        Assert.Contains("snowpipe-forwarder one, snowpipe-forwarder two", nobody.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Flush_says_what_was_delivered_and_that_a_paused_forwarder_does_not()
    {
        var forwarder = new FakeForwarder();
        await using var service = await FakeService.StartAsync(forwarder);
        string[] flush = ["flush", "--forwarder", service.Address, "--token-file", token];

        var delivered = await OperatorProcess.RunAsync(flush);
        forwarder.Status.Paused = true;
        var paused = await OperatorProcess.RunAsync(flush);

        Assert.Equal((0, "✓ snowpipe-forwarder one: 10 readings delivered\n"), (delivered.ExitCode, delivered.Output));
        Assert.Equal(1, paused.ExitCode);
        Assert.Contains("Delivery is paused; resume it first", paused.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Flush_ends_with_its_timeout_and_says_that_delivery_goes_on()
    {
        await using var service = await FakeService.StartAsync(new FakeForwarder { FlushHangs = true });

        var answer = await OperatorProcess.RunAsync("flush", "--timeout", "500ms", "--forwarder", service.Address, "--token-file", token);

        Assert.Equal(1, answer.ExitCode);
        Assert.Contains("not all readings were committed within 0.5 s; delivery continues", answer.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_interval_is_set_for_the_named_kind()
    {
        var agent = new FakeAgent();
        await using var service = await FakeService.StartAsync(agent);
        string[] at = ["--agent", service.Address, "--token-file", token];

        var interval = await OperatorProcess.RunAsync(["set", "interval", "500ms", "--kind", "inverter", .. at]);
        var batch = await OperatorProcess.RunAsync(["set", "batch", "20", .. at]);
        var reset = await OperatorProcess.RunAsync(["set", "reset", .. at]);

        Assert.Equal((0, 0, 0), (interval.ExitCode, batch.ExitCode, reset.ExitCode));
        Assert.Equal(
            [
                new SetSamplingRequest { Kind = "inverter", Interval = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(500)) },
                new SetSamplingRequest { Kind = "thermal", BatchSize = 20 },
                new SetSamplingRequest { Kind = "thermal", Reset = true },
            ],
            agent.Settings
        );
        Assert.Equal("✓ sensor-agent pi: thermal: 20 readings every 5 s, set by hand\n", batch.Output);
    }

    [Theory]
    [InlineData("set", "interval", "soon")]
    [InlineData("set", "interval", "0")]
    [InlineData("set", "batch", "0")]
    [InlineData("set", "interval", "5s", "--kind", "both")]
    [InlineData("dead-letters", "replay")]
    [InlineData("dead-letters", "replay", "x", "--all")]
    [InlineData("flush", "--timeout", "later")]
    [InlineData("unheard-of")]
    public async Task What_cannot_be_is_usage(params string[] arguments)
    {
        var answer = await OperatorProcess.RunAsync(arguments);

        Assert.Equal((2, ""), (answer.ExitCode, answer.Output));
        Assert.EndsWith("--help lists verbs and options\n", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_shows_the_values_that_were_read_and_no_others()
    {
        await using var service = await FakeService.StartAsync(new FakeAgent());

        var answer = await OperatorProcess.RunAsync("read", "--agent", service.Address);
        var (_, json) = await OperatorProcess.JsonAsync("read", "--agent", service.Address);

        Assert.Contains("21.50", answer.Output, StringComparison.Ordinal);
        Assert.Contains("1,234", answer.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("humidity", answer.Output, StringComparison.Ordinal);
        var reading = json["replicas"]![0]!["reading"]!;
        Assert.Equal(21.5, (double)reading["temperature_c"]!);
        Assert.Null(reading["humidity_percent"]);
    }

    [Fact]
    public async Task A_failed_self_test_fails_the_verb()
    {
        await using var service = await FakeService.StartAsync(new FakeAgent());

        var answer = await OperatorProcess.RunAsync("sensors", "test", "--agent", service.Address, "--token-file", token);

        Assert.Equal(1, answer.ExitCode);
        Assert.Contains("✗ scd4x@1:62  it found a fault; replace it", answer.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dead_letters_are_listed_shown_and_replayed()
    {
        var forwarder = new FakeForwarder();
        forwarder.Letters.Add(
            new DeadLetter
            {
                Id = "a-1",
                At = Timestamp.FromDateTimeOffset(FakeForwarder.Now),
                Origin = "unread",
                Topic = "telemetry/v1/esp/\u001b[31mthermal",
                Reason = "1e999 is no number",
                PayloadBytes = 21,
            }
        );
        await using var service = await FakeService.StartAsync(forwarder);
        string[] at = ["--forwarder", service.Address, "--token-file", token];

        var list = await OperatorProcess.RunAsync(["dead-letters", "list", .. at]);
        var raw = await OperatorProcess.RunAsync(["dead-letters", "show", "a-1", "--raw", .. at]);
        var (shown, json) = await OperatorProcess.JsonAsync(["dead-letters", "show", "a-1", .. at]);
        var missing = await OperatorProcess.RunAsync(["dead-letters", "show", "a-2", .. at]);
        var replayed = await OperatorProcess.RunAsync(["dead-letters", "replay", "a-1", .. at]);

        Assert.Contains("a-1", list.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', list.Output);
        Assert.Equal("{\"temperature\": 1e999}", raw.Output);
        Assert.Equal((0, "{\"temperature\": 1e999}"), (shown, (string)json["replicas"]![0]!["payload_text"]!));
        Assert.Equal(1, missing.ExitCode);
        Assert.Contains("There is no dead letter a-2", missing.Output, StringComparison.Ordinal);
        Assert.Equal((0, "a-1"), (replayed.ExitCode, Assert.Single(Assert.Single(forwarder.Replays).Ids)));
    }

    [Fact]
    public async Task Damage_fails_verify_and_not_inspect()
    {
        var forwarder = new FakeForwarder();
        forwarder.Journals.Add(
            new JournalStatus
            {
                Slot = "slot-0",
                Epoch = "0123456789abcdef",
                CommittedOffset = 90,
                NextOffset = 100,
                DamagedPlaces = 1,
            }
        );
        await using var service = await FakeService.StartAsync(forwarder);

        var inspect = await OperatorProcess.RunAsync("journal", "inspect", "--forwarder", service.Address);
        var (code, json) = await OperatorProcess.JsonAsync("journal", "verify", "--forwarder", service.Address);

        Assert.Equal((0, 1), (inspect.ExitCode, code));
        Assert.Equal(100, (int)json["replicas"]![0]!["journals"]![0]!["next_offset"]!);
    }

    [Fact]
    public async Task Journal_verify_says_what_it_has_found_in_the_files()
    {
        const string problem =
            "00000000000000000000.segment: damaged from byte 4096 to byte 8192, 7 readings from offset 93 on are missing";
        var forwarder = new FakeForwarder();
        forwarder.Journals.Add(
            new JournalStatus
            {
                Slot = "slot-0",
                NextOffset = 100,
                VerifiedReadings = 93,
                Problems = { problem },
            }
        );
        await using var service = await FakeService.StartAsync(forwarder);

        var shown = await OperatorProcess.RunAsync("journal", "verify", "--forwarder", service.Address);
        var (code, json) = await OperatorProcess.JsonAsync("journal", "verify", "--forwarder", service.Address);

        Assert.Equal((1, 1), (shown.ExitCode, code));
        Assert.Contains("slot-0: 93 readings read and intact", shown.Output, StringComparison.Ordinal);
        Assert.Contains("7 readings from offset 93", shown.Output, StringComparison.Ordinal);
        var journal = json["replicas"]![0]!["journals"]![0]!;
        Assert.Equal((93, problem), ((int)journal["verified_readings"]!, (string)journal["problems"]![0]!));
    }

    [Fact]
    public async Task Cost_shows_both_roads_once_a_service()
    {
        var forwarder = new FakeForwarder();
        forwarder.Status.Cost = new Cost
        {
            Road = "streaming",
            UsdPerDay = 0.5,
            CountedDays = 2,
            OtherRoadUsdPerDay = 0.75,
        };
        await using var service = await FakeService.StartAsync(forwarder);
        await using var nothing = await FakeService.StartAsync(new FakeForwarder("s3-forwarder", "two"));

        var answer = await OperatorProcess.RunAsync("cost", "--forwarder", service.Address, "--forwarder", nothing.Address);

        Assert.Equal(3, answer.ExitCode);
        Assert.Contains(
            "✓ snowpipe-forwarder one: 0.5000 USD a day, 15.22 a month; as files 0.7500 a day",
            answer.Output,
            StringComparison.Ordinal
        );
        Assert.Contains("✗ s3-forwarder two: has sent nothing yet", answer.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Token_prints_what_changes_need_and_says_where_it_comes_from_when_there_is_none()
    {
        var environment = new Dictionary<string, string> { ["THERMAL_TOKEN"] = "abc_DEF-123" };

        Assert.Equal("abc_DEF-123\n", (await OperatorProcess.RunAsync(environment, "token")).Output);
        Assert.Equal("{\"token\":\"abc_DEF-123\"}\n", (await OperatorProcess.RunAsync(environment, "token", "--json")).Output);
        var none = await OperatorProcess.RunAsync(new Dictionary<string, string> { ["THERMAL_TOKEN"] = "" }, "token");

        Assert.Equal(1, none.ExitCode);
        Assert.Contains("/run/control/token does not exist", none.Error, StringComparison.Ordinal);
    }
}
