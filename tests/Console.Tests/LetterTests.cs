using System.Text.Json;
using Microsoft.Playwright;

namespace ThermalStreaming.Console.Tests;

/// <summary>Dead letters on the page: which, why, and again.</summary>
public sealed class LetterTests(Chromium chromium) : IClassFixture<Chromium>
{
    const string Snowpipe = "#letters details >> nth=0";
    const string S3 = "#letters details >> nth=1";

    [Theory]
    [InlineData("letters-desktop", 1280, 800, false)]
    [InlineData("letters-phone", 390, 844, false)]
    [InlineData("letters-phone-dark", 390, 844, true)]
    public async Task The_newest_are_shown_with_reason_device_and_id(string name, int width, int height, bool isDark)
    {
        await using var stand = await StartAsync();
        await using var visit = await chromium.OpenAsync(stand.Console.Page, width, height, isDark);
        await visit.DrawnAsync();

        await visit.SaysAsync($"{Snowpipe} >> summary", "Snowpipe forwarder: 9 dead letters");
        await visit.SaysAsync($"{S3} >> summary", "S3 forwarder: 1 dead letter");
        await visit[$"{Snowpipe} >> summary"].ClickAsync();
        await visit[$"{S3} >> summary"].ClickAsync();

        await visit.SaysAsync($"{Snowpipe} >> li >> nth=0", "no JSON: <b>oops</b> at byte 9");
        await visit.SaysAsync($"{Snowpipe} >> li >> nth=0", "Could not be read");
        await visit.SaysAsync($"{Snowpipe} >> li >> nth=0", "greenhouse-2");
        await visit.SaysAsync($"{Snowpipe} >> li >> nth=0", "bGV0dGVy-9-");
        await visit.SaysAsync($"{Snowpipe} >> li >> nth=1", "Refused");
        await visit.SaysAsync($"{Snowpipe} >> li >> nth=1", "pi, 2 readings");
        Assert.Equal(5, await visit[$"{Snowpipe} >> li"].CountAsync());
        await visit[$"{Snowpipe} >> text=Show the newest 9"].ClickAsync();
        Assert.Equal(9, await visit[$"{Snowpipe} >> li"].CountAsync());
        // How to load the object stands there; there is nothing to replay.
        await visit.SaysAsync($"{S3} >> li >> nth=0", "File not loaded");
        Assert.Equal(0, await visit[$"{S3} >> li button"].CountAsync());
        await Assertions.Expect(visit[$"{S3} >> text=Replay all"]).ToBeHiddenAsync();
        Assert.Equal(0, await visit["#letters b"].CountAsync());

        await visit.ScreenshotAsync(name);
        await visit["#letters-title"].EvaluateAsync("title => title.scrollIntoView()");
        await visit.ScreenshotAsync($"{name}-first", isWhole: false);
        Assert.Empty(await Axe.CheckAsync(visit));
        Assert.Empty(visit.Complaints);
        Assert.True(
            await visit.Page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"),
            "it scrolls sideways"
        );
    }

    [Fact]
    [Trait("Category", "Security")]
    public async Task One_or_all_are_replayed_with_the_token_alone()
    {
        await using var stand = await StartAsync();
        var fake = stand.Forwarders[0].Fake;
        await using var visit = await chromium.OpenAsync(stand.Console.Page);
        await visit.DrawnAsync();
        await visit[$"{Snowpipe} >> summary"].ClickAsync();
        var (one, all) = (visit[$"{Snowpipe} >> li >> nth=0 >> button"], visit[$"{Snowpipe} >> text=Replay all"]);
        await Assertions.Expect(one).ToBeDisabledAsync();
        await Assertions.Expect(all).ToBeDisabledAsync();
        await visit.SaysAsync("#letters-locked", "To replay, enter the token");

        await visit["#token"].FillAsync(FakeToken.Value);
        await visit["#token-use"].ClickAsync();
        await Assertions.Expect(one).ToBeEnabledAsync();
        await Assertions.Expect(visit["#letters-locked"]).ToBeHiddenAsync();
        await one.ClickAsync();

        await visit.SaysAsync("#letters-answer", "1 dead letter is taken in again.");
        await visit.SaysAsync($"{Snowpipe} >> summary", "8 dead letters");
        Assert.Equal((8, 0), (fake.Letters.Count, fake.Replays));
        Assert.DoesNotContain(fake.Letters, letter => letter.Reason.Contains("oops", StringComparison.Ordinal));
        await Assertions.Expect(visit[$"{Snowpipe} >> li >> nth=0"]).Not.ToContainTextAsync("oops");

        // A new one comes while somebody looks.
        fake.Keep("unread", "sensors/attic/json", "the newest");
        await visit.SaysAsync($"{Snowpipe} >> li >> nth=0", "sensors/attic/json");
        Assert.Empty(await Axe.CheckAsync(visit));
        await all.ClickAsync();

        await visit.SaysAsync("#letters-answer", "9 dead letters are taken in again.");
        await Assertions.Expect(visit["#letters details"]).ToHaveCountAsync(1, new() { Timeout = 60_000 });
        Assert.Equal((0, 1), (fake.Letters.Count, fake.Replays));
        Assert.Empty(visit.Complaints);
    }

    [Fact]
    public async Task No_more_than_fifty_and_of_long_reasons_no_more_than_600_characters_are_sent()
    {
        await using var stand = await ConsoleStand.StartAsync(snowpipe: 1);
        for (var i = 1; i <= 120; i++)
            stand.Forwarders[0].Fake.Keep("unread", "telemetry/v1/pi/thermal", $"letter {i} {new string('x', 10_000)}");
        await stand.Console.ShowsAsync("\"letters\":120");

        using var answer = JsonDocument.Parse(
            await stand.Console.Http.GetStringAsync(new Uri("/api/letters?service=snowpipe-forwarder", UriKind.Relative))
        );

        var letters = answer.RootElement.EnumerateArray().ToList();
        Assert.Equal(50, letters.Count);
        Assert.StartsWith("letter 120 x", letters[0].GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.All(letters, letter => Assert.Equal(601, letter.GetProperty("reason").GetString()!.Length));
        Assert.Equal("pi", letters[0].GetProperty("from").GetString());
    }

    static async Task<ConsoleStand> StartAsync()
    {
        var stand = await ConsoleStand.StartAsync(snowpipe: 1);
        var (snowpipe, s3) = (stand.Forwarders[0].Fake, stand.Forwarders[1].Fake);
        for (var i = 1; i <= 7; i++)
            snowpipe.Keep("unread", "telemetry/v1/greenhouse-1/thermal", $"temperature is \"hot\", which is not a number (letter {i})");
        snowpipe.Keep("refused", "telemetry/v1/pi/thermal", "Snowflake: numeric value '1e400' is out of range (column TEMPERATURE)", 2);
        snowpipe.Keep("unread", "telemetry/v1/greenhouse-2/thermal", "no JSON: <b>oops</b> at byte 9");
        s3.Keep(
            "unloaded",
            "snowpipe/DEMO.DEMO.INVERTER_PIPE",
            "Snowpipe DEMO.DEMO.INVERTER_PIPE loaded 0 of 60 rows of s3://readings/inverter-data/2026-11-29/inverter-0815.json (failed, 1 errors)"
        );
        return stand;
    }
}
