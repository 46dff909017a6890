using System.Net;
using System.Security.Cryptography.X509Certificates;
using MQTTnet;
using MQTTnet.Protocol;
using MQTTnet.Server;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>MQTTnet's server in this process, on free loopback ports. Its sessions are kept in memory, also while it is stopped.</summary>
sealed class MqttNetBroker : ITestBroker
{
    readonly MqttServer server;
    readonly X509Certificate2? certificate;

    MqttNetBroker(BrokerSettings settings)
    {
        Port = Ports.Take();
        var options = new MqttServerOptionsBuilder()
            .WithDefaultEndpoint()
            .WithDefaultEndpointPort(Port)
            .WithDefaultEndpointBoundIPAddress(IPAddress.Loopback)
            .WithDefaultEndpointBoundIPV6Address(IPAddress.None)
            .WithDefaultEndpointReuseAddress()
            .WithPersistentSessions()
            // By default a session's queue drops its oldest message after 1,000.
            .WithMaxPendingMessagesPerClient(int.MaxValue);
        if (settings.Tls is { } tls)
        {
            TlsPort = Ports.Take();
            certificate = Load(tls);
            options = options
                .WithEncryptedEndpoint()
                .WithEncryptedEndpointPort(TlsPort)
                .WithEncryptedEndpointBoundIPAddress(IPAddress.Loopback)
                .WithEncryptedEndpointBoundIPV6Address(IPAddress.None)
                .WithEncryptionCertificate(certificate);
            if (tls.RequireClientCertificate)
                options = options.WithClientCertificate((_, theirs, _, _) => theirs is not null && IsSignedBy(tls.CaFile, theirs));
        }
        server = new MqttServerFactory().CreateMqttServer(options.Build());
        if (settings.Users.Count > 0)
            server.ValidatingConnectionAsync += e => Task.FromResult(e.ReasonCode = Check(settings.Users, e.UserName, e.Password));
        if (settings.Acl.Count > 0)
            server.InterceptingPublishAsync += e => RefuseAsync(settings.Acl, e);
    }

    public int Port { get; }

    public int TlsPort { get; }

    public static async Task<MqttNetBroker> StartAsync(BrokerSettings settings)
    {
        var broker = new MqttNetBroker(settings);
        await broker.StartAgainAsync();
        return broker;
    }

    public Task StartAgainAsync() => server.StartAsync();

    public Task KillAsync() => EndAsync(MqttDisconnectReasonCode.NormalDisconnection);

    public Task StopAsync() => EndAsync(MqttDisconnectReasonCode.ServerShuttingDown);

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        server.Dispose();
        certificate?.Dispose();
    }

    /// <summary>A reason other than "normal" is sent to the clients before their connections are closed.</summary>
    Task EndAsync(MqttDisconnectReasonCode reason) =>
        server.StopAsync(
            new MqttServerStopOptions { DefaultClientDisconnectOptions = new MqttServerClientDisconnectOptions { ReasonCode = reason } }
        );

    static MqttConnectReasonCode Check(IReadOnlyDictionary<string, string> users, string? user, string? password) =>
        user is not null && users.TryGetValue(user, out var expected) && expected == password
            ? MqttConnectReasonCode.Success
            : MqttConnectReasonCode.BadUserNameOrPassword;

    /// <summary>Refuses a publish that no line of the user's part of the ACL allows.</summary>
    static Task RefuseAsync(IReadOnlyList<string> acl, InterceptingPublishEventArgs publish)
    {
        var allowed = acl.SkipWhile(line => line != $"user {publish.UserName}")
            .Skip(1)
            .TakeWhile(line => line.StartsWith("topic write ", StringComparison.Ordinal))
            .Select(line => line["topic write ".Length..])
            .Any(filter =>
                MqttTopicFilterComparer.Compare(publish.ApplicationMessage.Topic, filter) == MqttTopicFilterCompareResult.IsMatch
            );
        if (!allowed)
        {
            publish.ProcessPublish = false;
            publish.Response.ReasonCode = MqttPubAckReasonCode.NotAuthorized;
        }
        return Task.CompletedTask;
    }

    static X509Certificate2 Load(BrokerTls tls)
    {
        using var pem = X509Certificate2.CreateFromPemFile(tls.CertificateFile, tls.KeyFile);
        return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
    }

    static bool IsSignedBy(string caFile, X509Certificate certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.ImportFromPemFile(caFile);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        using var theirs = new X509Certificate2(certificate);
        return chain.Build(theirs);
    }
}
