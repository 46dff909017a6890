using Microsoft.Playwright;

namespace ThermalStreaming.Console.Tests;

/// <summary>The page in a real browser, as people have it in their hands and on their walls.</summary>
public sealed class PageTests(Chromium chromium, ITestOutputHelper output) : IClassFixture<Chromium>
{
    const int MostBytes = 150 * 1024,
        MostRounds = 6;

    /// <summary>What the page may take where an icon, the least that the console serves, takes 40 ms to be shown.</summary>
    const double MostMilliseconds = 300,
        MostIcons = MostMilliseconds / 40;

    [Theory]
    [InlineData("desktop-light", 1280, 800, false)]
    [InlineData("desktop-dark", 1280, 800, true)]
    [InlineData("phone-light", 390, 844, false)]
    [InlineData("phone-dark", 390, 844, true)]
    public async Task Is_accessible_and_fits_at_each_size(string name, int width, int height, bool isDark)
    {
        await using var stand = await ConsoleStand.StartAsync(hasDay: true);
        await using var visit = await chromium.OpenAsync(stand.Console.Page, width, height, isDark);
        await visit.DrawnAsync();
        await visit.SaysAsync("#services", "Works");
        await visit["input[value=day]"].CheckAsync(new LocatorCheckOptions { Force = true });
        await visit.SaysAsync("#charts", "highest");

        await visit.ScreenshotAsync(name);
        await visit.ScreenshotAsync($"{name}-first", isWhole: false);

        Assert.Empty(await Axe.CheckAsync(visit));
        Assert.Empty(visit.Complaints);
        Assert.True(
            await visit.Page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"),
            "it scrolls sideways"
        );
    }

    [Theory]
    [InlineData("problems-desktop", 1280, 800)]
    [InlineData("problems-phone", 390, 844)]
    public async Task Says_what_is_wrong_and_what_to_do(string name, int width, int height)
    {
        await using var stand = await ConsoleStand.StartAsync();
        var forwarder = stand.Forwarders[0].Fake;
        lock (forwarder.Status)
        {
            forwarder.Status.Info.Ready = false;
            forwarder.Status.Info.Parts[0].Problem =
                "Snowflake answers 401: the key is not the user's. Give the user this key: keygen shows how";
            forwarder.Status.BacklogReadings = 12_480;
            forwarder.Status.Lag = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromMinutes(52));
            forwarder.Status.DeadLetters = 3;
        }
        lock (stand.Agent.Status)
            stand.Agent.Status.Sensors[2].Problem = "no answer on i2c-1 0x58 since 14:02";
        await using var visit = await chromium.OpenAsync(stand.Console.Page, width, height);

        await visit.SaysAsync("#problems", "Snowflake answers 401");
        await visit.SaysAsync("#problems", "12,480 readings wait here for delivery, the oldest for 52 minutes");
        await visit.SaysAsync("#problems", "3 dead letters");
        await visit.SaysAsync("#problems", "No answer on i2c-1 0x58 since 14:02.");
        await visit.SaysAsync("#pipeline", "Refuses readings");
        await visit.SaysAsync("#summary-title", "2 problems");
        await visit.DrawnAsync();
        await visit.ScreenshotAsync(name);
        Assert.Empty(await Axe.CheckAsync(visit));

        lock (forwarder.Status)
        {
            forwarder.Status.Info.Ready = true;
            forwarder.Status.Info.Parts[0].Problem = "";
        }
        await visit.SaysAsync("#problems-over", "Snowflake answers 401");
        await visit.SaysAsync("#problems-ended summary", "in the last 24 hours");
        // On a busy machine something else may have been wrong for a moment, too.
        Assert.Equal(1, await visit["#problems-over li:has-text('Snowflake answers 401')"].CountAsync());
        Assert.Matches(
            @"^Over by now: (\d+) in the last 24 hours\|\1$",
            await visit.Page.EvaluateAsync<string>(
                "() => `${document.querySelector('#problems-ended summary').textContent}|${document.querySelector('#problems-over').children.length}`"
            )
        );
    }

    /// <summary>The agent is not ready meanwhile, but nothing is wrong: the readings will have the right time.</summary>
    [Fact]
    public async Task An_agent_that_waits_for_the_clock_says_so_and_has_no_problem()
    {
        await using var stand = await ConsoleStand.StartAsync();
        lock (stand.Agent.Status)
        {
            stand.Agent.Status.Clock = Control.ClockState.Waiting;
            stand.Agent.Status.ClockWaits = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromMinutes(1));
            stand.Agent.Status.Info.Ready = false;
            stand.Agent.Status.Info.Parts.Add(new Control.Part { Name = "clock", Problem = "The machine's clock is not synchronised yet" });
        }
        await using var visit = await chromium.OpenAsync(stand.Console.Page);

        await visit.SaysAsync("#services", "Waits for the clock");
        await visit.SaysAsync("#pipeline", "Waits for the clock");
        await visit.SaysAsync("#problems", "until the machine's clock is synchronised, and will have the right time");
        await visit.SaysAsync("#summary-title", "Working, with 1 remark");

        lock (stand.Agent.Status)
            stand.Agent.Status.ClockWaits = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromMinutes(7));
        await visit.SaysAsync("#problems", "has not been synchronised for 7 minutes");
        await visit.SaysAsync("#services", "Has a problem");
        await visit.SaysAsync("#summary-title", "1 problem");
    }

    [Fact]
    public async Task Is_small_and_asks_nobody_else()
    {
        await using var stand = await ConsoleStand.StartAsync();
        await using var visit = await chromium.OpenAsync(stand.Console.Page);
        await visit.DrawnAsync();

        var bytes = await visit.Page.EvaluateAsync<long>(
            "() => performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))"
                + ".filter(entry => !entry.name.endsWith('/events')).reduce((sum, entry) => sum + entry.transferSize, 0)"
        );

        Assert.InRange(bytes, 10_000, MostBytes);
        Assert.All(visit.Requests, address => Assert.StartsWith($"{stand.Console.Page}", address, StringComparison.Ordinal));
        Assert.Empty(await visit.Page.Context.CookiesAsync());
        Assert.Empty(visit.Complaints);
    }

    /// <summary>From the navigation to the load event, by the browser's clock, each time without a cache.</summary>
    [Fact]
    public async Task Loads_within_300_ms()
    {
        await using var stand = await ConsoleStand.StartAsync(hasDay: true);
        var (page, icon) = (double.PositiveInfinity, double.PositiveInfinity);
        // The best is the page's own speed, unless other tests take the whole machine all the time.
        for (var round = 1; round <= MostRounds && !IsFast(); round++)
        {
            for (var i = 0; i < 5; i++)
            {
                icon = Math.Min(icon, await LoadAsync(new Uri(stand.Console.Page, "icon.svg")));
                page = Math.Min(page, await LoadAsync(stand.Console.Page));
            }
        }

        Assert.True(IsFast(), $"The page takes {page:0} ms, and an icon {icon:0} ms.");

        // A machine that is slow now is slow with both. Twice the time is too slow anywhere.
        bool IsFast() => page < MostMilliseconds || page < Math.Min(MostIcons * icon, 2 * MostMilliseconds);

        async Task<double> LoadAsync(Uri address)
        {
            await using var visit = await chromium.OpenAsync(address);
            var load = await visit.Page.EvaluateAsync<double>("() => performance.getEntriesByType('navigation')[0].loadEventEnd");
            Assert.True(load >= 1, "the load event has not ended");
            output.WriteLine($"load event of {address.AbsolutePath} after {load:0} ms");
            return load;
        }
    }

    [Fact]
    public async Task Can_be_used_with_the_keyboard_alone()
    {
        await using var stand = await ConsoleStand.StartAsync();
        await using var visit = await chromium.OpenAsync(stand.Console.Page);
        await visit.DrawnAsync();

        await visit.Page.Keyboard.PressAsync("Tab");
        Assert.Equal("Skip to the content", await Focused(visit, "textContent"));
        await visit["#device"].FocusAsync();
        await visit.Page.Keyboard.PressAsync("Tab");
        Assert.Equal("live", await Focused(visit, "value"));
        await visit.Page.Keyboard.PressAsync("ArrowRight");
        Assert.Equal("day", await Focused(visit, "value"));
        await visit.Page.Keyboard.PressAsync("ArrowLeft");
        await visit.Page.Keyboard.PressAsync("Tab");
        Assert.Equal("Temperature, last 5 minutes", await Focused(visit, "ariaLabel"));
        await visit.Page.Keyboard.PressAsync("Home");
        var first = await Focused(visit, "ariaValueText");
        Assert.Matches(@"^\d\d:\d\d:\d\d: \d+\.\d °C$", first);
        await visit.SaysAsync("#charts figure:first-child p", first);
        await visit.Page.Keyboard.PressAsync("Escape");
        await visit.SaysAsync("#charts figure:first-child p", "lowest");
    }

    [Fact]
    public async Task Names_of_devices_never_become_markup()
    {
        await using var stand = await ConsoleStand.StartAsync();
        await using var visit = await chromium.OpenAsync(stand.Console.Page);
        // A chart tells that the console listens at the broker: it would not see a message from before.
        await visit.DrawnAsync();
        await using (var sender = await Testing.MqttNetClient.ConnectedAsync(stand.Broker.Port, "sender"))
            await sender.PublishAsync("telemetry/v1/<img src=x onerror=alert(1)>/thermal", "{\"temperature\": 20}"u8.ToArray());

        await visit.SaysAsync("#devices", "<img src=x onerror=alert(1)>");

        Assert.Equal(0, await visit["#devices img"].CountAsync());
        Assert.Empty(visit.Complaints);
    }

    static Task<string> Focused(Visit visit, string property) =>
        visit.Page.EvaluateAsync<string>($"() => document.activeElement.{property}");
}
