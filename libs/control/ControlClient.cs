using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;

namespace ThermalStreaming.Control;

/// <summary>
/// One running service, over one connection: made at the first call, kept alive while calls run, and made again when it is lost.
/// Thread-safe.
/// </summary>
public sealed class ControlClient : IDisposable
{
    /// <summary>Services answer within the machine, or not at all.</summary>
    static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(3),
        PingInterval = TimeSpan.FromSeconds(20),
        PingTimeout = TimeSpan.FromSeconds(10);

    readonly GrpcChannel channel;

    /// <param name="address">Scheme, host and port, for example <c>http://10.0.0.3:8081</c>.</param>
    /// <param name="options">Token, deadline and trust.</param>
    public ControlClient(Uri address, ControlOptions options)
    {
        Address = address;
        channel = GrpcChannel.ForAddress(
            address,
            new GrpcChannelOptions { HttpHandler = Handler(options.Authority), DisposeHttpClient = true }
        );
        var invoker = channel.Intercept(new ControlCalls(options));
        Agent = new Agent.AgentClient(invoker);
        Forwarder = new Forwarder.ForwarderClient(invoker);
    }

    /// <summary>Where the service is.</summary>
    public Uri Address { get; }

    /// <summary>The calls of a sensor-agent; a forwarder answers UNIMPLEMENTED.</summary>
    public Agent.AgentClient Agent { get; }

    /// <summary>The calls of a forwarder; a sensor-agent answers UNIMPLEMENTED.</summary>
    public Forwarder.ForwarderClient Forwarder { get; }

    /// <summary>Ends the calls that run with CANCELLED.</summary>
    public void Dispose() => channel.Dispose();

    static SocketsHttpHandler Handler(X509Certificate2? authority)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = ConnectTimeout,
            KeepAlivePingDelay = PingInterval,
            KeepAlivePingTimeout = PingTimeout,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            UseProxy = false,
        };
        if (authority is not null)
            handler.SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    CustomTrustStore = { authority },
                    RevocationMode = X509RevocationMode.NoCheck,
                },
            };
        return handler;
    }
}
