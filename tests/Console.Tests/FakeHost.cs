using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Console.Tests;

/// <summary>A gRPC server on a port of its own, which can be killed and started again.</summary>
sealed class FakeHost<TService>(TService service) : IAsyncDisposable
    where TService : class
{
    WebApplication? app;

    public int Port { get; } = Ports.Take();

    public async Task StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, Port, listen => listen.Protocols = HttpProtocols.Http2)
        );
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(service);
        app = builder.Build();
        app.MapGrpcService<TService>();
        await app.StartAsync();
    }

    /// <summary>Cuts its connections and frees the port, as the end of a process does.</summary>
    public async Task KillAsync()
    {
        if (app is null)
            return;
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await app.StopAsync(now.Token);
        await app.DisposeAsync();
        app = null;
    }

    public async ValueTask DisposeAsync() => await KillAsync();
}
