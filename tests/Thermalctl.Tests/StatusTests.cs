using System.Text.Json.Nodes;
using Google.Protobuf.WellKnownTypes;
using ThermalStreaming.Control;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>The verb <c>status</c>, as a process, against replicas that are well, frozen, killed or not there.</summary>
public sealed class StatusTests
{
    [Fact]
    public async Task One_table_shows_all_services_and_replicas()
    {
        await using var agent = await FakeService.StartAsync(new FakeAgent());
        await using var forwarder = await FakeService.StartAsync(new FakeForwarder());

        var answer = await OperatorProcess.RunAsync("status", "--agent", agent.Address, "--forwarder", forwarder.Address);

        Assert.Equal(
            """
              service             replica  state     up  version  readings  per s  backlog  lag  delivered  dead
            ✓ sensor-agent        pi       well   1h 0m  0.1.0       7,200    2.0       10   4s      7,190     -
            ✓ snowpipe-forwarder  one      well   1h 0m  0.1.0       7,000    2.0       10   5s      6,990     0
            """,
            Lines(answer.Output)
        );
        Assert.Equal((0, ""), (answer.ExitCode, answer.Error));
    }

    [Fact]
    public async Task What_is_wrong_stands_below_the_table_with_its_fix()
    {
        var sick = new FakeForwarder();
        sick.Status.Info.Ready = false;
        sick.Status.Info.Parts.Add(new Part { Name = "snowflake", Problem = "the key [of] this user is refused" });
        sick.Status.LastError = new Problem
        {
            At = Timestamp.FromDateTimeOffset(FakeForwarder.Now),
            Code = "NeedsOperator",
            Message = "the key [of] this user is refused",
            Fix = "ALTER USER … SET RSA_PUBLIC_KEY",
        };
        sick.Status.DeadLetters = 3;
        await using var forwarder = await FakeService.StartAsync(sick);

        var answer = await OperatorProcess.RunAsync("status", "--forwarder", forwarder.Address);

        Assert.EndsWith(
            """
            ✗ snowpipe-forwarder one: snowflake: The key [of] this user is refused.
                fix: ALTER USER … SET RSA_PUBLIC_KEY.
            ! snowpipe-forwarder one: 3 dead letters: something that came could not be stored or delivered.
                fix: ./thermalctl dead-letters list shows the reasons, as the console's page does. When the cause is removed, replay them.

            """,
            answer.Output,
            StringComparison.Ordinal
        );
        Assert.Equal(1, answer.ExitCode);
    }

    [Fact]
    public async Task Readings_that_are_lost_are_a_problem_although_every_part_works()
    {
        var damaged = new FakeForwarder();
        damaged.Status.Slots.Add(new SlotStatus { LostReadings = 12, LossAge = Duration.FromTimeSpan(TimeSpan.FromHours(3)) });
        await using var forwarder = await FakeService.StartAsync(damaged);

        var (code, answer) = await OperatorProcess.JsonAsync("status", "--forwarder", forwarder.Address);

        Assert.Equal((1, false), (code, (bool)answer["ok"]!));
        Assert.Equal(["problem"], States(answer));
        var finding = Assert.Single(answer["findings"]!.AsArray())!;
        Assert.True((bool)finding["failed"]!);
        Assert.Contains("has cost 12 stored readings", (string)finding["problem"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sensor_that_fails_is_a_problem()
    {
        var sick = new FakeAgent();
        sick.Status.Sensors.Add(new Sensor { Id = "scd4x@1:62", Problem = "no answer" });
        await using var agent = await FakeService.StartAsync(sick);

        var answer = await OperatorProcess.RunAsync("status", "--agent", agent.Address);

        Assert.Equal(1, answer.ExitCode);
        Assert.Contains("✗ sensor-agent pi: sensor scd4x@1:62: No answer.", answer.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Readings_that_are_late_are_a_remark_and_no_failure()
    {
        var late = new FakeForwarder();
        late.Status.Lag = Duration.FromTimeSpan(TimeSpan.FromMinutes(20));
        await using var forwarder = await FakeService.StartAsync(late);

        var answer = await OperatorProcess.RunAsync("status", "--forwarder", forwarder.Address);

        Assert.Equal(0, answer.ExitCode);
        Assert.Contains("✓ snowpipe-forwarder", answer.Output, StringComparison.Ordinal);
        Assert.Contains(
            "! snowpipe-forwarder one: 10 readings wait here for delivery, the oldest for 20 minutes.",
            answer.Output,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task An_agent_that_waits_for_the_clock_says_so_and_has_no_problem()
    {
        var waiting = new FakeAgent();
        waiting.Status.Clock = ClockState.Waiting;
        waiting.Status.ClockWaits = Duration.FromTimeSpan(TimeSpan.FromMinutes(1));
        waiting.Status.Info.Ready = false;
        waiting.Status.Info.Parts.Add(new Part { Name = "clock", Problem = "The machine's clock is not synchronised yet" });
        await using var agent = await FakeService.StartAsync(waiting);

        var (code, answer) = await OperatorProcess.JsonAsync("status", "--agent", agent.Address);

        Assert.Equal(0, code);
        Assert.Equal(["waits"], States(answer));
        var finding = Assert.Single(answer["findings"]!.AsArray())!;
        Assert.False((bool)finding["failed"]!);
        Assert.Contains("until the machine's clock is synchronised", (string)finding["problem"]!, StringComparison.Ordinal);
    }

    [Fact]
    public void What_replicas_share_is_told_once_for_the_service()
    {
        var endpoint = new ServiceEndpoint("snowpipe-forwarder", 8081, IsAgent: false);
        var rows = new[] { "one", "two" }
            .Select(name =>
            {
                var fake = new FakeForwarder(replica: name);
                fake.Status.DeadLetters = 3;
                return new ReplicaStatus(endpoint, $"{name}:8081", Client: null) { Forwarder = fake.Status };
            })
            .ToList();

        var finding = Assert.Single(ReplicaFinding.Of(rows));

        Assert.Equal(("snowpipe-forwarder", true), (finding.Name, finding.IsShared));
        Assert.Equal("snowpipe-forwarder one", Assert.Single(ReplicaFinding.Of([rows[0]])).Name);
    }

    [Fact]
    public async Task A_frozen_replica_is_a_row_that_says_so_and_holds_nobody_up()
    {
        await using var well = await FakeService.StartAsync(new FakeForwarder(replica: "two"));
        await using var frozen = await FakeService.StartAsync(new FakeForwarder { IsFrozen = true });

        var (code, answer) = await OperatorProcess.JsonAsync(
            "status",
            "--patience",
            "10s",
            "--forwarder",
            frozen.Address,
            "--forwarder",
            well.Address
        );

        Assert.Equal(3, code);
        Assert.Equal(["no_answer", "well"], States(answer));
        Assert.Equal("has not answered within 10 s", (string)answer["findings"]![0]!["problem"]!);
    }

    [Fact]
    public async Task A_killed_replica_is_a_row_that_says_so()
    {
        await using var well = await FakeService.StartAsync(new FakeForwarder(replica: "two"));
        var killed = await FakeService.StartAsync(new FakeForwarder());
        await killed.DisposeAsync();

        var answer = await OperatorProcess.RunAsync("status", "--forwarder", killed.Address, "--forwarder", well.Address);

        Assert.Equal(3, answer.ExitCode);
        Assert.Contains("no answer", answer.Output, StringComparison.Ordinal);
        Assert.Contains($"✗ 127.0.0.1 {killed.Address}: does not answer: Connection refused", answer.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_any_address_it_says_what_to_do()
    {
        var (code, answer) = await OperatorProcess.JsonAsync("status", "--agent", "nobody.invalid", "--forwarder", "nobody-else.invalid");

        Assert.Equal(1, code);
        Assert.Equal(["not_running", "not_running"], States(answer));
        Assert.All(
            answer["findings"]!.AsArray(),
            finding => Assert.Contains("--forwarder HOST", (string)finding!["fix"]!, StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Json_has_the_keys_that_the_docs_name()
    {
        var paused = new FakeForwarder();
        paused.Status.Paused = true;
        paused.Status.Lag = null;
        await using var forwarder = await FakeService.StartAsync(paused);

        var (code, answer) = await OperatorProcess.JsonAsync("status", "--forwarder", forwarder.Address);

        Assert.Equal(0, code);
        Assert.True((bool)answer["ok"]!);
        var row = answer["replicas"]![0]!.AsObject();
        Assert.Equal(
            [
                "service",
                "replica",
                "address",
                "state",
                "version",
                "started_at",
                "uptime_s",
                "readings",
                "readings_per_second",
                "backlog_readings",
                "lag_s",
                "delivered_readings",
                "dead_letters",
            ],
            row.Select(member => member.Key)
        );
        Assert.Equal(("paused", 3600, 7_000UL), ((string)row["state"]!, (double)row["uptime_s"]!, (ulong)row["readings"]!));
        Assert.Null(row["lag_s"]);
        Assert.Equal("2026-11-20T09:00:00.000Z", (string)row["started_at"]!);
    }

    [Theory]
    [InlineData("pi:0")]
    [InlineData("pi:65536")]
    [InlineData("pi:x")]
    [InlineData("http://pi")]
    [InlineData("")]
    public async Task An_address_that_cannot_be_is_refused_as_usage(string address)
    {
        var answer = await OperatorProcess.RunAsync("status", "--agent", address);

        Assert.Equal((2, ""), (answer.ExitCode, answer.Output));
        Assert.Contains("is not HOST or HOST:PORT", answer.Error, StringComparison.Ordinal);
    }

    static IEnumerable<string> States(JsonNode answer) => answer["replicas"]!.AsArray().Select(row => (string)row!["state"]!);

    static string Lines(string output) => string.Join('\n', output.TrimEnd('\n').Split('\n').Select(line => line.TrimEnd()));
}
