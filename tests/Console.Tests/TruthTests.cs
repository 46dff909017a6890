using System.Diagnostics;
using Microsoft.Playwright;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Console.Tests;

/// <summary>
/// Things end while the page is open. The page promises to say so within five seconds, by its own clock. A machine that is busy with other
/// tests may hold up all of it, so what takes longer is tried again; returns have no bound, and their time is printed.
/// </summary>
public sealed class TruthTests(Chromium chromium, ITestOutputHelper output) : IClassFixture<Chromium>
{
    const int MostAttempts = 3;

    static readonly TimeSpan promise = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task A_killed_forwarder_is_missed_and_welcomed_back()
    {
        await using var stand = await ConsoleStand.StartAsync();
        await using var visit = await chromium.OpenAsync(stand.Console.Page);
        await visit.DrawnAsync();
        await visit.SaysAsync("#pipeline", "All 2 work");
        var (fake, host) = stand.Forwarders[0];

        await SeesInTimeAsync(
            visit,
            "a killed forwarder",
            ("#problems", $"snowpipe-forwarder {fake.Status.Info.Replica}"),
            host.KillAsync,
            host.StartAsync,
            ("#pipeline", "All 2 work")
        );
        await visit.SaysAsync("#problems", "This replica does not answer: The connection is refused or broken.");
        await visit.SaysAsync("#pipeline", "1 of 2 missing");
        await visit.SaysAsync("#summary-title", "1 problem");
        await visit.SaysAsync("#services", "Does not answer");
        await visit.ScreenshotAsync("killed-forwarder", isWhole: false);

        await host.StartAsync();
        await SeesAsync(visit, "its return", "#pipeline", "All 2 work");
        await visit.SaysAsync("#summary-title", "Everything is well");
        await visit.SaysAsync("#announcement", "Everything is well");
    }

    [Fact]
    public async Task A_frozen_forwarder_is_noticed_although_its_connection_stays()
    {
        await using var stand = await ConsoleStand.StartAsync();
        await using var visit = await chromium.OpenAsync(stand.Console.Page);
        await visit.DrawnAsync();
        await visit.SaysAsync("#pipeline", "All 2 work");

        await SeesInTimeAsync(
            visit,
            "a frozen forwarder",
            ("#problems", "This replica does not answer"),
            () => Now(stand.Forwarders[1].Fake.Freeze),
            () => Now(stand.Forwarders[1].Fake.Thaw),
            ("#pipeline", "All 2 work")
        );
        stand.Forwarders[1].Fake.Thaw();
        await SeesAsync(visit, "its return", "#pipeline", "All 2 work");
    }

    [Fact]
    public async Task A_killed_agent_is_said_by_its_own_stage()
    {
        await using var stand = await ConsoleStand.StartAsync();
        await using var visit = await chromium.OpenAsync(stand.Console.Page);
        await visit.DrawnAsync();

        await SeesInTimeAsync(
            visit,
            "a killed agent",
            ("#problems", "sensor-agent pi"),
            stand.AgentHost.KillAsync,
            stand.AgentHost.StartAsync,
            ("#summary-title", "Everything is well")
        );
        await visit.SaysAsync("#pipeline", "Does not answer");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_broker_that_is_killed_or_frozen_is_noticed(bool isFrozen)
    {
        await using var stand = await ConsoleStand.StartAsync();
        await using var visit = await chromium.OpenAsync(stand.Console.Page);
        await visit.DrawnAsync();

        await SeesInTimeAsync(
            visit,
            isFrozen ? "a frozen broker" : "a killed broker",
            ("#pipeline", "Not reached"),
            () => Now(isFrozen ? stand.Broker.Freeze : stand.Broker.Kill),
            async () =>
            {
                if (isFrozen)
                    stand.Broker.Thaw();
                else
                    await stand.Broker.StartAgainAsync();
            },
            ("#summary-title", "Everything is well")
        );
        await visit.SaysAsync("#problems", "The console has no connection to the broker");
        if (isFrozen)
            stand.Broker.Thaw();
        else
            await stand.Broker.StartAgainAsync();
        await SeesAsync(visit, "its return", "#summary-title", "Everything is well");
    }

    [Fact]
    public async Task A_killed_console_leaves_no_page_that_looks_alive()
    {
        await using var stand = await ConsoleStand.StartAsync();
        await using var visit = await chromium.OpenAsync(stand.Console.Page, 390, 844);
        await visit.DrawnAsync();

        await SeesInTimeAsync(
            visit,
            "a killed console",
            ("#summary-title", "Connection lost"),
            () => Now(stand.Console.Kill),
            () => Now(stand.Console.StartAgain),
            ("#connection", "Live")
        );
        await visit.SaysAsync("#connection", "Not connected");
        await visit.SaysAsync("#summary-text", "What is below is from");
        await visit.ScreenshotAsync("connection-lost", isWhole: false);
        Assert.Empty(await Axe.CheckAsync(visit));

        stand.Console.StartAgain();
        await SeesAsync(visit, "its return", "#connection", "Live");
        await visit.SaysAsync("#summary-title", "Everything is well");
    }

    [Fact]
    public async Task A_device_that_falls_silent_is_named()
    {
        await using var stand = await ConsoleStand.StartAsync();
        await using var visit = await chromium.OpenAsync(stand.Console.Page);
        await visit.DrawnAsync();
        await visit.SaysAsync("#devices", "greenhouse-2");

        stand.Fleet.Silence(1);

        await visit.SaysAsync("#problems", "Device greenhouse-2");
        await visit.SaysAsync("#devices tbody tr:first-child", "greenhouse-2");
        await visit.SaysAsync("#devices tbody tr:first-child", "Silent");
        await visit.SaysAsync("#pipeline", "1 silent");
    }

    [Fact]
    public async Task A_hundred_devices_and_eight_replicas_are_shown()
    {
        await using var stand = await ConsoleStand.StartAsync(devices: 100, snowpipe: 6, s3: 2, inverters: 20, hasDay: true);
        await using var visit = await chromium.OpenAsync(stand.Console.Page);
        await visit.DrawnAsync();

        await visit.SaysAsync("#pipeline", "All 6 work");
        await visit.SaysAsync("#summary-figures", "100 of 100");
        await visit["#devices .more"].ClickAsync();
        await Assertions
            .Expect(visit["#devices tbody tr"])
            .ToHaveCountAsync(100, new LocatorAssertionsToHaveCountOptions { Timeout = 60_000 });
        Assert.Equal(9, await visit["#services tbody tr"].CountAsync());
        await visit["#devices .link >> nth=40"].ClickAsync();
        await visit.SaysAsync("#charts", "CO₂");
        await visit.ScreenshotAsync("many");
        Assert.Empty(await Axe.CheckAsync(visit));
        Assert.Empty(visit.Complaints);
    }

    /// <summary>A stopped process keeps its connections, and nothing comes through them.</summary>
    [Fact]
    public async Task A_stopped_process_of_an_agent_is_noticed()
    {
        using var agent = new ControlledAgent();
        using var directory = new TempDirectory();
        using var console = new ConsoleProcess(directory.Path, 1, ("CONSOLE_AGENTS", $"127.0.0.1:{agent.Port}"));
        await agent.ReadyAsync();
        await console.ReadyAsync();
        await using var visit = await chromium.OpenAsync(console.Page);
        await visit.SaysAsync("#services", "Has a problem");

        await SeesInTimeAsync(
            visit,
            "a stopped agent",
            ("#services", "Does not answer"),
            () => Now(agent.Process.Freeze),
            () => Now(agent.Process.Thaw),
            ("#services", "Has a problem")
        );

        agent.Process.Thaw();
    }

    /// <summary>Breaks something and asserts that the page says so in time.</summary>
    /// <param name="visit">The page.</param>
    /// <param name="what">For the output.</param>
    /// <param name="said">Which element says what.</param>
    /// <param name="breakIt">Ends or freezes it.</param>
    /// <param name="mendIt">Brings it back, for another attempt.</param>
    /// <param name="mended">What the page says then.</param>
    async Task SeesInTimeAsync(
        Visit visit,
        string what,
        (string Selector, string Text) said,
        Func<Task> breakIt,
        Func<Task> mendIt,
        (string Selector, string Text) mended
    )
    {
        for (var attempt = 1; ; attempt++)
        {
            await visit.AwaitAsync(said.Selector, said.Text);
            await breakIt();
            await visit.SaysAsync(said.Selector, said.Text);
            var took = await visit.SawAfterAsync();
            output.WriteLine($"{what}: shown after {took.TotalSeconds:0.00} s");
            if (took <= promise)
                return;
            Assert.True(attempt < MostAttempts, $"{what} was shown after {took.TotalSeconds:0.00} s, in the last of {attempt} attempts");
            await mendIt();
            await visit.SaysAsync(mended.Selector, mended.Text);
        }
    }

    static Task Now(Action action)
    {
        action();
        return Task.CompletedTask;
    }

    async Task SeesAsync(Visit visit, string what, string selector, string text)
    {
        var began = Stopwatch.GetTimestamp();
        await visit.SaysAsync(selector, text);
        output.WriteLine($"{what}: shown after {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s");
    }
}
