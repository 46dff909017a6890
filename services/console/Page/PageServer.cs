using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Console;

/// <summary>
/// The page's own web server. Its port differs from that of the service's figures, so that a browser reaches only the page.
/// </summary>
sealed class PageServer(ConsoleOptions options, PageRequests requests, ILoggerFactory loggers) : IHostedService, IAsyncDisposable
{
    /// <summary>Twice the number of pages that may watch, and their other requests.</summary>
    const int MostConnections = 256;

    const int LargestBody = 4096;

    WebApplication? app;

    /// <summary>Port after the start.</summary>
    public int Port { get; private set; }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "console-page" });
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = MostConnections;
            kestrel.Limits.MaxRequestBodySize = LargestBody;
            kestrel.Listen(IPAddress.Any, options.PagePort, listen => listen.Protocols = HttpProtocols.Http1);
        });
        builder.Services.AddSingleton(loggers);
        app = builder.Build();
        app.Run(requests.AnswerAsync);
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (Exception e) when (ListenProblem.Of(e, ("CONSOLE_PORT", options.PagePort)) is { } problem)
        {
            throw new ConfigurationException([problem]);
        }
        Port = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port;
    }

    public Task StopAsync(CancellationToken cancellationToken) => app?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (app is not null)
            await app.DisposeAsync();
    }
}
