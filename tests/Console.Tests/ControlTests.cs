using Microsoft.Playwright;

namespace ThermalStreaming.Console.Tests;

/// <summary>What changes something needs the token.</summary>
[Trait("Category", "Security")]
public sealed class ControlTests(Chromium chromium) : IClassFixture<Chromium>
{
    [Fact]
    public async Task The_page_only_shows_until_the_token_is_entered()
    {
        await using var stand = await ConsoleStand.StartAsync();
        for (var i = 0; i < 3; i++)
            stand.Forwarders[2].Fake.Keep("unread", "telemetry/v1/pi/inverter", "not JSON");
        await using var visit = await chromium.OpenAsync(stand.Console.Page);
        await visit.DrawnAsync();
        var pause = visit["#controls [aria-label='Snowpipe forwarder'] button >> nth=0"];
        await Assertions.Expect(pause).ToBeDisabledAsync();

        await visit["#token"].FillAsync("wrong");
        await visit["#token-use"].ClickAsync();
        await visit.SaysAsync("#control-answer", "The token is wrong");
        await Assertions.Expect(pause).ToBeDisabledAsync();

        await visit["#token"].FillAsync(FakeToken.Value);
        await visit["#token-use"].ClickAsync();
        await visit.SaysAsync("#control-answer", "The token is right");
        await Assertions.Expect(pause).ToBeEnabledAsync();
        await visit.ScreenshotAsync("unlocked");
        Assert.Empty(await Axe.CheckAsync(visit));

        await pause.ClickAsync();
        await visit.SaysAsync("#problems", "Delivery is paused");
        await visit.SaysAsync("#pipeline", "Paused");
        await visit["#controls [aria-label='Snowpipe forwarder'] button >> nth=1"].ClickAsync();
        await visit.SaysAsync("#control-answer", "delivers again");
        await visit["#controls [aria-label='S3 forwarder'] button >> nth=2"].ClickAsync();
        await visit.SaysAsync("#control-answer", "5 waiting readings are delivered");
        await visit["#controls [aria-label='S3 forwarder'] button >> nth=3"].ClickAsync();
        await visit.SaysAsync("#control-answer", "3 dead letters are taken in again");
        await visit["#controls input"].FillAsync("2.5");
        await visit["#controls button[type=submit]"].ClickAsync();
        await visit.SaysAsync("#control-answer", "A batch every 2.5 s");
        Assert.Equal(2.5, stand.Agent.IntervalSeconds);
        Assert.Equal(0, stand.Forwarders[0].Fake.Replays);
        Assert.Equal(1, stand.Forwarders[2].Fake.Replays);

        await visit["#token-forget"].ClickAsync();
        await Assertions.Expect(pause).ToBeDisabledAsync();
        Assert.Equal(0, await visit.Page.EvaluateAsync<int>("() => sessionStorage.length + localStorage.length"));
    }
}
