using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>The certificate that the shipped broker shows to other machines, and the listener that it is for.</summary>
[Trait("Category", "Security")]
public sealed class ShippedBrokerCertificateTests
{
    [Fact]
    public async Task An_exhausted_lan_listener_leaves_local_clients_alone()
    {
        await using var broker = await ShippedBroker.StartAsync();
        List<TcpClient> idle = [];
        try
        {
            for (var i = 0; i < 450; i++)
            {
                var socket = new TcpClient();
                idle.Add(socket);
                await socket.ConnectAsync("127.0.0.1", broker.TlsPort);
            }

            Assert.InRange(await broker.PublishAsync("sensor-agent", broker.Password("sensor-agent"), "telemetry/v1/pi/thermal"), 0, 16);
            Assert.Equal(0, (await broker.BrokerAsync("", "healthy")).ExitCode);
        }
        finally
        {
            foreach (var socket in idle)
                socket.Dispose();
        }
        // And the LAN is served again when they are gone.
        await Wait.UntilAsync(() => NamesOf(broker) is { Length: > 0 }, "the LAN is served again");
    }

    [Fact]
    public async Task A_certificate_with_new_names_is_served_without_a_restart()
    {
        await using var broker = await ShippedBroker.StartAsync();
        var mosquitto = broker.MosquittoId;
        Assert.DoesNotContain("pi.example.org", NamesOf(broker), StringComparison.Ordinal);

        await broker.SetUpAsync(("MQTT_LAN_NAMES", "pi.example.org"));

        await Wait.UntilAsync(
            () => NamesOf(broker)?.Contains("pi.example.org", StringComparison.Ordinal) == true,
            "the new certificate is served",
            () => $"{NamesOf(broker)}\n{string.Join('\n', broker.Log)}"
        );
        Assert.Equal(mosquitto, broker.MosquittoId);
    }

    [Fact]
    public async Task A_certificate_that_is_about_to_expire_is_renewed()
    {
        await using var broker = await ShippedBroker.StartAsync(("CERTIFICATE_DAYS", "20"));
        var before = Certificate(broker)!;

        await broker.SetUpAsync(("CERTIFICATE_DAYS", "820"));

        await Wait.UntilAsync(
            () => Certificate(broker)?.NotAfter > before.NotAfter.AddDays(700),
            "the new certificate is served",
            () => string.Join('\n', broker.Log)
        );
    }

    static X509Certificate2? Certificate(ShippedBroker broker)
    {
        try
        {
            using var client = new TcpClient("127.0.0.1", broker.TlsPort);
            using var tls = new SslStream(client.GetStream(), false, (_, certificate, _, _) => certificate is not null);
            tls.AuthenticateAsClient("localhost");
            return new X509Certificate2(tls.RemoteCertificate!);
        }
        catch (Exception e) when (e is IOException or SocketException or System.Security.Authentication.AuthenticationException)
        {
            return null;
        }
    }

    /// <summary>The names in the certificate that is served now; null without one.</summary>
    internal static string? NamesOf(ShippedBroker broker)
    {
        using var certificate = Certificate(broker);
        return certificate?.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single().Format(false);
    }
}
