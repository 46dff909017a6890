using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace ThermalStreaming.Console.Tests;

/// <summary>An open page, and what it asked for and complained of.</summary>
sealed class Visit : IAsyncDisposable
{
    const float Patience = 60_000;

    /// <summary>Where screenshots are left for people to look at.</summary>
    static readonly string screenshots = Path.Combine(AppContext.BaseDirectory, "../../../screenshots");

    readonly IBrowserContext context;

    Visit(IBrowserContext context, IPage page) => (this.context, Page) = (context, page);

    public IPage Page { get; }

    /// <summary>Every address that was asked for.</summary>
    public ConcurrentQueue<string> Requests { get; } = [];

    /// <summary>Errors of scripts, refused resources, and violations of the policy.</summary>
    public ConcurrentQueue<string> Complaints { get; } = [];

    public static async Task<Visit> BeginAsync(IBrowserContext context, Uri address)
    {
        var page = await context.NewPageAsync();
        page.SetDefaultTimeout(Patience);
        var visit = new Visit(context, page);
        page.Request += (_, request) => visit.Requests.Enqueue(request.Url);
        page.PageError += (_, error) => visit.Complaints.Enqueue(error);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                visit.Complaints.Enqueue(message.Text);
        };
        await page.GotoAsync($"{address}");
        return visit;
    }

    public ILocator this[string selector] => Page.Locator(selector);

    /// <summary>Waits until an element says something.</summary>
    public Task SaysAsync(string selector, string text) =>
        Assertions
            .Expect(Page.Locator(selector))
            .ToContainTextAsync(text, new LocatorAssertionsToContainTextOptions { Timeout = Patience });

    /// <summary>Waits until everything that is there has been drawn once.</summary>
    public async Task DrawnAsync()
    {
        await SaysAsync("#connection", "Live");
        await Assertions
            .Expect(Page.Locator("#charts figure .line").First)
            .ToHaveAttributeAsync("d", new System.Text.RegularExpressions.Regex("L"), new() { Timeout = Patience });
    }

    public Task ScreenshotAsync(string name, bool isWhole = true)
    {
        Directory.CreateDirectory(screenshots);
        return Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(screenshots, $"{name}.png"), FullPage = isWhole });
    }

    public async ValueTask DisposeAsync() => await context.DisposeAsync();
}
