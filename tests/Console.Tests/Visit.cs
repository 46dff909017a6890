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

    /// <summary>The page's own clock begins to run, until an element says something that it does not say yet.</summary>
    public Task AwaitAsync(string selector, string text) =>
        Page.EvaluateAsync(
            """
            ([selector, text]) => {
              const begun = performance.now();
              const says = () => document.querySelector(selector)?.textContent.includes(text);
              if (says()) throw new Error(`it says ${text} already`);
              window.sawAfter = new Promise(resolve => new MutationObserver((_, observer) => {
                if (!says()) return;
                observer.disconnect();
                resolve(performance.now() - begun);
              }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true }));
            }
            """,
            new[] { selector, text }
        );

    /// <summary>How long it took from <see cref="AwaitAsync"/> until the element said it.</summary>
    public async Task<TimeSpan> SawAfterAsync() => TimeSpan.FromMilliseconds(await Page.EvaluateAsync<double>("() => window.sawAfter"));

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
