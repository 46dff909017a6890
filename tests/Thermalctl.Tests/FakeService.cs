using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>A replica that answers control calls on 127.0.0.1, until it is disposed of, which is as good as killed.</summary>
sealed class FakeService : IAsyncDisposable
{
    public const string Token = "the-token-of-this-installation-0123456789";

    readonly WebApplication app;
    bool isEnded;

    FakeService(WebApplication app, int port) => (this.app, Port) = (app, port);

    public int Port { get; }

    public string Address => $"127.0.0.1:{Port}";

    public static Task<FakeService> StartAsync(FakeAgent agent) => StartAsync(agent, app => app.MapGrpcService<FakeAgent>());

    public static Task<FakeService> StartAsync(FakeForwarder forwarder) =>
        StartAsync(forwarder, app => app.MapGrpcService<FakeForwarder>());

    /// <summary>As a real service does it: what changes something needs the token.</summary>
    public static void RequireToken(ServerCallContext context)
    {
        if (context.RequestHeaders.GetValue("authorization") != $"Bearer {Token}")
            throw new RpcException(new Status(StatusCode.Unauthenticated, "the token is wrong"));
    }

    public async ValueTask DisposeAsync()
    {
        if (isEnded)
            return;
        isEnded = true;
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await app.StopAsync(now.Token);
        await app.DisposeAsync();
    }

    static async Task<FakeService> StartAsync<T>(T service, Action<WebApplication> map)
        where T : class
    {
        var port = Testing.Ports.Take();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(server => server.ListenLocalhost(port, listener => listener.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(service);
        var app = builder.Build();
        map(app);
        await app.StartAsync();
        return new FakeService(app, port);
    }
}
