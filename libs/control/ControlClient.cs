using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;

namespace ThermalStreaming.Control;

/// <summary>
/// Calls one running service over one connection. It is made at the first call, kept alive while calls run, and reopened when it is lost.
/// Thread-safe.
/// </summary>
public sealed class ControlClient : IDisposable
{
    /// <summary>Services answer within the machine or not at all.</summary>
    static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(3),
        PingInterval = TimeSpan.FromSeconds(20),
        PingTimeout = TimeSpan.FromSeconds(10);

    readonly GrpcChannel channel;

    /// <param name="address">Scheme, host and port, for example <c>http://10.0.0.3:8081</c>.</param>
    /// <param name="options">Token, deadline and trust.</param>
    /// <param name="name">The name that led to the address, and that certificates carry; null: the address.</param>
    public ControlClient(Uri address, ControlOptions options, string? name = null)
    {
        Address = address;
        UsesTls = options.Tls is not null;
        WithholdsToken = !UsesTls && !options.AllowsPlainToken && !StaysHere(address);
        var handler = Handler();
        var target = address;
        if (options.Tls is { } tls)
        {
            var expected = tls.ServerName ?? name ?? address.Host;
            target = new UriBuilder(Uri.UriSchemeHttps, expected, address.Port).Uri;
            // The name is for the certificate; the address selects the replica.
            handler.ConnectCallback = (_, cancellationToken) => ConnectAsync(address, cancellationToken);
            handler.SslOptions = Trust(tls, expected);
        }
        channel = GrpcChannel.ForAddress(target, new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
        var invoker = channel.Intercept(new ControlCalls(options, WithholdsToken));
        Agent = new Agent.AgentClient(invoker);
        Forwarder = new Forwarder.ForwarderClient(invoker);
    }

    /// <summary>Where the service is.</summary>
    public Uri Address { get; }

    /// <summary>Whether calls are encrypted and the service's certificate is checked.</summary>
    public bool UsesTls { get; }

    /// <summary>
    /// Calls carry no token, because it would leave this machine and the project's network unencrypted. Calls that need it are refused.
    /// </summary>
    public bool WithholdsToken { get; }

    /// <summary>The calls of a sensor-agent; a forwarder answers UNIMPLEMENTED.</summary>
    public Agent.AgentClient Agent { get; }

    /// <summary>The calls of a forwarder; a sensor-agent answers UNIMPLEMENTED.</summary>
    public Forwarder.ForwarderClient Forwarder { get; }

    /// <summary>Ends running calls with CANCELLED.</summary>
    public void Dispose() => channel.Dispose();

    static bool StaysHere(Uri address) =>
        address.HostNameType == UriHostNameType.Dns
            ? string.Equals(address.Host, "localhost", StringComparison.OrdinalIgnoreCase)
            : IPAddress.TryParse(address.DnsSafeHost, out var ip) && Reach.IsWithin(ip);

    static SocketsHttpHandler Handler() =>
        new()
        {
            ConnectTimeout = ConnectTimeout,
            KeepAlivePingDelay = PingInterval,
            KeepAlivePingTimeout = PingTimeout,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            UseProxy = false,
        };

    static async ValueTask<Stream> ConnectAsync(Uri address, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address.DnsSafeHost, address.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    static SslClientAuthenticationOptions Trust(ControlTls tls, string name)
    {
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        if (tls.Authorities is { } authorities)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(authorities);
        }
        return new SslClientAuthenticationOptions
        {
            CertificateChainPolicy = policy,
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
                ServerCertificateProblem.Of(certificate, chain, errors, name, tls.AuthorityFile, TimeProvider.System.GetUtcNow())
                    is { } problem
                    ? throw new ControlCertificateException(problem)
                    : true,
        };
    }
}
