using System.Diagnostics;
using Microsoft.Playwright;

namespace ThermalStreaming.Console.Tests;

/// <summary>
/// Things end while the page is open. The page promises to say so within five seconds; a machine that runs many tests at once gets more,
/// and the time that it took is printed.
/// </summary>
public sealed class TruthTests(Chromium chromium, ITestOutputHelper output) : IClassFixture<Chromium>
{
    [Fact]
    public async Task A_killed_forwarder_is_missed_and_welcomed_back()
    {
        await using var stand = await ConsoleStand.StartAsync();
        await using var visit = await chromium.OpenAsync(stand.Console.Page);
        await visit.DrawnAsync();
        await visit.SaysAsync("#pipeline", "All 2 work");
        var (fake, host) = stand.Forwarders[0];

        await host.KillAsync();

        await SeesAsync(visit, "a killed forwarder", "#problems", $"snowpipe-forwarder {fake.Status.Info.Replica}");
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

        stand.Forwarders[1].Fake.Freeze();

        await SeesAsync(visit, "a frozen forwarder", "#problems", "This replica does not answer");
        stand.Forwarders[1].Fake.Thaw();
        await SeesAsync(visit, "its return", "#pipeline", "All 2 work");
    }

    [Fact]
    public async Task A_killed_agent_is_said_by_its_own_stage()
    {
        await using var stand = await ConsoleStand.StartAsync();
        await using var visit = await chromium.OpenAsync(stand.Console.Page);
        await visit.DrawnAsync();

        await stand.AgentHost.KillAsync();

        await SeesAsync(visit, "a killed agent", "#problems", "sensor-agent pi");
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

        if (isFrozen)
            stand.Broker.Freeze();
        else
            stand.Broker.Kill();

        await SeesAsync(visit, isFrozen ? "a frozen broker" : "a killed broker", "#pipeline", "Not reached");
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

        stand.Console.Kill();

        await SeesAsync(visit, "a killed console", "#summary-title", "Connection lost");
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

    async Task SeesAsync(Visit visit, string what, string selector, string text)
    {
        var began = Stopwatch.GetTimestamp();
        await visit.SaysAsync(selector, text);
        output.WriteLine($"{what}: shown after {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s");
    }
}
