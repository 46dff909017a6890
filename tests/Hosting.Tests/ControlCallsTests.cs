using System.Net;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using ThermalStreaming.Control;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Hosting.Tests;

/// <summary>What calls carry, as a service receives them.</summary>
[Trait("Category", "Security")]
public sealed class ControlCallsTests : IAsyncLifetime
{
    readonly int port = Ports.Take();
    readonly Listener listener = new();
    WebApplication app = null!;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http2)
        );
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(listener);
        app = builder.Build();
        app.MapGrpcService<Listener>();
        await app.StartAsync();
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    [Fact]
    public async Task A_token_that_is_withheld_is_sent_neither_with_unary_calls_nor_with_streams_nor_if_the_caller_gives_it()
    {
        var agent = Client(withholdsToken: true);
        var given = new CallOptions(new Metadata { { "Authorization", "Bearer of-the-caller" }, { "other", "stays" } });

        await agent.GetStatusAsync(new GetAgentStatusRequest());
        await agent.GetStatusAsync(new GetAgentStatusRequest(), given);
        using var stream = agent.WatchStatus(new WatchAgentStatusRequest(), given);
        Assert.False(await stream.ResponseStream.MoveNext(CancellationToken.None));

        Assert.Equal([null, null, null], listener.Tokens);
        Assert.Equal([null, "stays", "stays"], listener.Others);
    }

    [Fact]
    public async Task A_token_that_may_travel_is_sent()
    {
        await Client(withholdsToken: false).GetStatusAsync(new GetAgentStatusRequest());

        Assert.Equal(["Bearer of-the-installation"], listener.Tokens);
    }

    Agent.AgentClient Client(bool withholdsToken)
    {
        var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{port}");
        var options = new ControlOptions { Token = "of-the-installation", Deadline = TimeSpan.FromSeconds(60) };
        return new Agent.AgentClient(channel.Intercept(new ControlCalls(options, withholdsToken)));
    }

    sealed class Listener : Agent.AgentBase
    {
        public List<string?> Tokens { get; } = [];

        public List<string?> Others { get; } = [];

        public override Task<AgentStatus> GetStatus(GetAgentStatusRequest request, ServerCallContext context)
        {
            Note(context);
            return Task.FromResult(new AgentStatus());
        }

        public override Task WatchStatus(
            WatchAgentStatusRequest request,
            IServerStreamWriter<AgentStatus> responseStream,
            ServerCallContext context
        )
        {
            Note(context);
            return Task.CompletedTask;
        }

        void Note(ServerCallContext context)
        {
            Tokens.Add(context.RequestHeaders.GetValue("authorization"));
            Others.Add(context.RequestHeaders.GetValue("other"));
        }
    }
}
