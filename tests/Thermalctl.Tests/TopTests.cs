using ThermalStreaming.Testing;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>The verb <c>top</c>: in a real terminal, and what it says of replicas that go and come.</summary>
public sealed class TopTests
{
    static readonly ServiceEndpoint endpoint = new("snowpipe-forwarder", 8081, IsAgent: false);

    readonly ManualClock clock = new();

    [Fact]
    public async Task A_terminal_shows_it_follows_its_size_and_is_itself_again_after_q()
    {
        var forwarder = new FakeForwarder();
        await using var agent = await FakeService.StartAsync(new FakeAgent());
        await using var service = await FakeService.StartAsync(forwarder);
        using var terminal = await Tmux.StartAsync(100, 30, "bash", "--norc");
        await terminal.TypeAsync("PS1='ready> '; clear", "Enter");
        await terminal.UntilItShowsAsync("ready>");

        await terminal.TypeAsync($"{OperatorProcess.Program} top --agent {agent.Address} --forwarder {service.Address}", "Enter");
        var wide = await terminal.UntilItShowsAsync("snowpipe-forwarder");
        await terminal.ResizeAsync(57, 12);
        var narrow = await terminal.UntilAsync(screen =>
            screen.Contains("backlog", StringComparison.Ordinal) && !screen.Contains("version", StringComparison.Ordinal)
        );
        await terminal.TypeAsync("q");
        await terminal.ResizeAsync(100, 30);
        // A new prompt: what is typed before it would be for the program that still ends.
        var after = await terminal.UntilAsync(screen => screen.TrimEnd().EndsWith("\nready>", StringComparison.Ordinal));

        TestContext.Current.SendDiagnosticMessage("{0}", $"{wide}\n{narrow}");
        Assert.Contains("all answer", wide, StringComparison.Ordinal);
        Assert.Contains("7,000", wide, StringComparison.Ordinal);
        Assert.Contains("q quit", wide, StringComparison.Ordinal);
        Assert.All(narrow.TrimEnd('\n').Split('\n'), line => Assert.InRange(line.Length, 0, 57));
        // As long as the window is wide.
        Assert.Contains("q quit   s sort   r reverse\n", narrow, StringComparison.Ordinal);
        Assert.DoesNotContain("q quit", after, StringComparison.Ordinal);
        // What is typed shows again, and the cursor with it.
        await terminal.TypeAsync("echo still $(( 40 + 2 ))", "Enter");
        await terminal.UntilItShowsAsync("echo still $(( 40 + 2 ))\nstill 42");
    }

    [Fact]
    public async Task Ctrl_C_gives_the_terminal_back_and_s_sorts()
    {
        await using var service = await FakeService.StartAsync(new FakeForwarder());
        using var terminal = await Tmux.StartAsync(100, 30, "bash", "--norc");

        await terminal.TypeAsync($"{OperatorProcess.Program} top --forwarder {service.Address}; echo ended with $?", "Enter");
        await terminal.UntilItShowsAsync("sorted by service");
        await terminal.TypeAsync("s");
        await terminal.UntilItShowsAsync("sorted by state");
        await terminal.TypeAsync("C-c");

        var after = await terminal.UntilItShowsAsync("ended with 130");
        Assert.DoesNotContain("sorted by", after, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_killed_replica_and_its_return_show()
    {
        var killed = await FakeService.StartAsync(new FakeForwarder());
        await using var other = await FakeService.StartAsync(new FakeForwarder(replica: "two"));
        using var terminal = await Tmux.StartAsync(
            100,
            30,
            OperatorProcess.Program,
            "top",
            "--forwarder",
            killed.Address,
            "--forwarder",
            other.Address
        );
        await terminal.UntilItShowsAsync("all answer");

        await killed.DisposeAsync();

        await terminal.UntilAsync(screen =>
            ((string[])["1 of 2 do not answer", "✗ snowpipe-forwarder  one", "Connection refused", "✓ snowpipe-forwarder  two"]).All(text =>
                screen.Contains(text, StringComparison.Ordinal)
            )
        );
    }

    [Fact]
    public async Task Into_a_pipe_it_prints_lines()
    {
        await using var service = await FakeService.StartAsync(new FakeForwarder());

        var answer = await OperatorProcess.RunAsync("top", "--count", "2", "--forwarder", service.Address);

        Assert.Equal(0, answer.ExitCode);
        var lines = answer.Output.TrimEnd('\n').Split('\n');
        Assert.Equal(2, lines.Length);
        Assert.All(
            lines,
            line =>
                Assert.Matches(
                    "^[0-9T:-]+Z snowpipe-forwarder one well readings=7000 rate=2 backlog=10 lag_s=5 delivered=6990 dead_letters=0$",
                    line
                )
        );
    }

    [Fact]
    public void Who_is_no_longer_found_is_gone_for_a_minute_and_then_forgotten()
    {
        var model = new TopModel([endpoint], clock);
        model.Update(endpoint, [Answer("10.0.0.1:8081", "one"), Answer("10.0.0.2:8081", "two")]);

        model.Update(endpoint, [Answer("10.0.0.2:8081", "two")]);
        Assert.Equal([("one", ReplicaState.Gone), ("two", ReplicaState.Well)], Shown(model));
        Assert.Contains("docker compose ps", ReplicaFinding.Of(model.Rows(TopSort.Service, false))[0].Fix, StringComparison.Ordinal);

        clock.Advance(TimeSpan.FromSeconds(61));
        model.Update(endpoint, [Answer("10.0.0.2:8081", "two")]);
        Assert.Equal([("two", ReplicaState.Well)], Shown(model));
    }

    [Fact]
    public void Who_comes_back_under_another_address_is_not_gone()
    {
        var model = new TopModel([endpoint], clock);
        model.Update(endpoint, [Answer("10.0.0.1:8081", "one")]);

        model.Update(endpoint, [Answer("10.0.0.9:8081", "one")]);

        Assert.Equal([("one", ReplicaState.Well)], Shown(model));
    }

    [Fact]
    public void A_service_without_replicas_is_told_once()
    {
        var model = new TopModel([endpoint], clock);
        model.Update(endpoint, [NotFound]);
        Assert.Equal([("-", ReplicaState.NotRunning)], Shown(model));

        model.Update(endpoint, [Answer("10.0.0.1:8081", "one")]);
        Assert.Equal([("one", ReplicaState.Well)], Shown(model));

        model.Update(endpoint, [NotFound]);
        Assert.Equal([("one", ReplicaState.Gone)], Shown(model));
    }

    [Fact]
    public void Who_stops_answering_keeps_its_name()
    {
        var model = new TopModel([endpoint], clock);
        model.Update(endpoint, [Answer("10.0.0.1:8081", "one")]);

        model.Update(endpoint, [new ReplicaStatus(endpoint, "10.0.0.1:8081", null, new CallProblem("has not answered", ""))]);

        Assert.Equal([("one", ReplicaState.NoAnswer)], Shown(model));
    }

    [Fact]
    public void The_rate_of_an_agent_is_that_of_the_last_seconds()
    {
        var agent = new ServiceEndpoint("sensor-agent", 8081, IsAgent: true);
        var model = new TopModel([agent], clock);
        for (var second = 0; second <= 20; second++)
        {
            var answer = new FakeAgent().Status;
            answer.ReadingsTaken = (ulong)(second * 5);
            model.Update(agent, [new ReplicaStatus(agent, "10.0.0.1:8081", null) { Agent = answer }]);
            clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(5, model.Rows(TopSort.Service, false)[0].Rate!.Value, tolerance: 0.01);
    }

    [Theory]
    [InlineData(40, 10)]
    [InlineData(80, 24)]
    [InlineData(20, 4)]
    [InlineData(200, 60)]
    public void It_fits_every_window(int width, int height)
    {
        List<ReplicaStatus> rows =
        [
            .. Enumerable.Range(1, 12).Select(number => Answer($"10.0.0.{number}:8081", $"replica-with-a-long-name-{number}")),
            NotFound,
        ];

        var lines = TopScreen.Render(rows, TopSort.Service, FakeForwarder.Now, width, height);

        Assert.InRange(lines.Count, 1, height);
        Assert.All(lines, line => Assert.InRange(TerminalText.Plain(line).Length, 0, Math.Max(width, 60)));
    }

    static ReplicaStatus NotFound => new(endpoint, "", null, new CallProblem("is not running", "start it"));

    static ReplicaStatus Answer(string address, string name) =>
        new(endpoint, address, null) { Forwarder = new FakeForwarder(replica: name).Status };

    static IEnumerable<(string, ReplicaState)> Shown(TopModel model) =>
        model.Rows(TopSort.Service, isReversed: false).Select(row => (row.Replica, row.State));
}
