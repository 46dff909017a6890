using Microsoft.Playwright;

namespace ThermalStreaming.Console.Tests;

/// <summary>Debian's Chromium, started once for the tests of a class.</summary>
public sealed class Chromium : IAsyncLifetime
{
    IPlaywright? playwright;
    IBrowser? browser;

    public async ValueTask InitializeAsync()
    {
        playwright = await Playwright.CreateAsync();
        var program = new[] { "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome" }.FirstOrDefault(File.Exists);
        browser = await playwright.Chromium.LaunchAsync(
            new BrowserTypeLaunchOptions
            {
                ExecutablePath = program ?? throw new InvalidOperationException("There is no Chromium: apt-get install chromium"),
                // Its sandbox refuses root, and here it only sees pages of this project.
                Args = ["--no-sandbox", "--disable-gpu", "--no-proxy-server"],
            }
        );
    }

    public async ValueTask DisposeAsync()
    {
        if (browser is not null)
            await browser.DisposeAsync();
        playwright?.Dispose();
    }

    /// <summary>A page of its own, with nothing of earlier ones.</summary>
    internal async Task<Visit> OpenAsync(Uri address, int width = 1280, int height = 800, bool isDark = false)
    {
        var context = await browser!.NewContextAsync(
            new BrowserNewContextOptions
            {
                ViewportSize = new ViewportSize { Width = width, Height = height },
                ColorScheme = isDark ? ColorScheme.Dark : ColorScheme.Light,
                DeviceScaleFactor = width < 600 ? 2 : 1,
                HasTouch = width < 600,
                IsMobile = width < 600,
                TimezoneId = "UTC",
            }
        );
        return await Visit.BeginAsync(context, address);
    }
}
