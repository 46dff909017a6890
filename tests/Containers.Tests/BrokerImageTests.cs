using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using DotNet.Testcontainers.Containers;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Containers.Tests;

/// <summary>
/// The broker's image, by itself: that it starts on what <c>setup</c> made, whom it lets in, and what each may do. How the scripts in it
/// behave in every case is tested with a plain process in Mqtt.Tests.
/// </summary>
[Trait("Category", "Security")]
public sealed class BrokerImageTests(BrokerFixture fixture) : IClassFixture<BrokerFixture>, IAsyncLifetime
{
    const int NotAuthorized = 0x87;
    const int NobodyListens = 0x10;
    const int Granted = 1;

    public async ValueTask InitializeAsync()
    {
        Engine.SkipWithoutSocket();
        await fixture.ReadyAsync();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task It_is_healthy_on_a_file_system_that_it_cannot_write_to()
    {
        var write = await fixture.Broker.ExecAsync(["sh", "-c", "echo x >/usr/local/bin/x"]);
        var healthy = await fixture.Broker.ExecAsync(["broker", "healthy"]);

        Assert.Equal(TestcontainersHealthStatus.Healthy, fixture.Broker.Health);
        Assert.Contains("Read-only file system", write.Stderr, StringComparison.Ordinal);
        Assert.Equal(0, healthy.ExitCode);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("sensor-agent", "wrong")]
    [InlineData("nobody", "x")]
    public async Task It_refuses_whom_it_does_not_know(string? user, string? password)
    {
        await using var client = new MqttNetClient();

        Assert.Equal(NotAuthorized, await client.ConnectAsync(fixture.Port, "somebody", user, password));
    }

    [Fact]
    public async Task The_agent_publishes_as_its_device_and_as_no_other()
    {
        await using var agent = await ConnectAsync("sensor-agent", await fixture.PasswordAsync("sensor-agent"));

        Assert.Equal(NobodyListens, await agent.PublishAsync($"telemetry/v1/{BrokerFixture.Device}/status", "x"u8.ToArray()));
        Assert.Equal(NotAuthorized, await agent.PublishAsync("telemetry/v1/another/status", "x"u8.ToArray()));
        Assert.Equal(NotAuthorized, await agent.SubscribeAsync("telemetry/v1/+/thermal"));
    }

    [Fact]
    public async Task A_forwarder_takes_its_kind_of_reading_and_nothing_else()
    {
        await using var forwarder = await ConnectAsync(
            await fixture.SlotAsync("snowpipe-forwarder"),
            await fixture.PasswordAsync("snowpipe-forwarder")
        );

        Assert.Equal(Granted, await forwarder.SubscribeAsync("$share/snowpipe-forwarder/telemetry/v1/+/thermal"));
        Assert.Equal(NotAuthorized, await forwarder.SubscribeAsync("$share/s3-forwarder/telemetry/v1/+/inverter"));
        Assert.Equal(NotAuthorized, await forwarder.SubscribeAsync("#"));
        Assert.Equal(NotAuthorized, await forwarder.PublishAsync($"telemetry/v1/{BrokerFixture.Device}/thermal", "x"u8.ToArray()));
    }

    [Fact]
    public async Task Over_TLS_it_shows_a_certificate_of_its_own_authority()
    {
        using var authority = X509Certificate2.CreateFromPem(fixture.Authority);

        Assert.True(await IsTrustedAsync(authority));
    }

    [Fact]
    public async Task Another_authority_does_not_vouch_for_it()
    {
        using var key = System.Security.Cryptography.ECDsa.Create();
        var now = TimeProvider.System.GetUtcNow();
        using var another = new CertificateRequest(
            "CN=another",
            key,
            System.Security.Cryptography.HashAlgorithmName.SHA256
        ).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));

        Assert.False(await IsTrustedAsync(another));
    }

    [Fact]
    public async Task On_its_TLS_port_nothing_is_said_without_TLS()
    {
        await using var client = new MqttNetClient();

        Assert.Equal(
            MqttNetClient.NoAnswer,
            await client.ConnectAsync(fixture.TlsPort, "", "sensor-agent", await fixture.PasswordAsync("sensor-agent"))
        );
    }

    async Task<MqttNetClient> ConnectAsync(string user, string password)
    {
        var client = new MqttNetClient();
        Assert.Equal(0, await client.ConnectAsync(fixture.Port, "", user, password));
        return client;
    }

    /// <summary>Whether the certificate that the broker shows is signed by this authority, for this machine and now.</summary>
    async Task<bool> IsTrustedAsync(X509Certificate2 authority)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync("127.0.0.1", fixture.TlsPort);
        await using var tls = new SslStream(socket.GetStream());
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            },
        };
        options.CertificateChainPolicy.CustomTrustStore.Add(authority);
        try
        {
            await tls.AuthenticateAsClientAsync(options);
            return true;
        }
        catch (System.Security.Authentication.AuthenticationException)
        {
            return false;
        }
    }
}
