using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>Docker sets HTTP_PROXY in containers if it has a proxy itself. It must not carry what stays on the machine.</summary>
public sealed class ProxyTests
{
    [Fact]
    public async Task Containers_and_Docker_are_asked_without_a_proxy()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var app = builder.Build();
        app.Run(context => context.Response.WriteAsync("ok"));
        await app.StartAsync(TestContext.Current.CancellationToken);
        await using var engine = new FakeEngine();
        var before = HttpClient.DefaultProxy;
        var proxy = new CountingProxy();
        HttpClient.DefaultProxy = proxy;
        try
        {
            using var http = DirectHttp.Client(ControlCommandLine.AnswerCeiling);
            using var docker = new DockerEngine(engine.Socket);

            Assert.Equal("ok", await http.GetStringAsync(new Uri(app.Urls.Single()), TestContext.Current.CancellationToken));
            await docker.InfoAsync(TestContext.Current.CancellationToken);

            Assert.Equal(0, proxy.Requests);
        }
        finally
        {
            HttpClient.DefaultProxy = before;
        }
    }
}
