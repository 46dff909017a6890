using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace ThermalStreaming.Bench;

/// <summary>
/// What a connection with TLS takes of the broker. A few are enough: a client of .NET takes more memory than the broker, which is why the
/// fleet connects without.
/// </summary>
static class TlsConnections
{
    /// <summary>Connections at the end.</summary>
    public const int Most = 1_000;

    /// <summary>Connections that come before: they take the memory that reading the users has left free.</summary>
    const int First = 300;

    /// <summary>Measures, and adds the figures to the conditions.</summary>
    public static async Task MeasureAsync(string root, FleetTable table)
    {
        await using var stand = new Stand(root);
        var files = new ShippedBrokerFiles(root, stand.Place, Most, Most);
        await stand.StartShippedBrokerAsync(files);
        using var certificate = X509CertificateLoader.LoadCertificateFromFile(files.CertificateFile);
        var trust = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { certificate },
            RevocationMode = X509RevocationMode.NoCheck,
        };
        var streams = new List<SslStream>();
        try
        {
            var (memory, processor) = (0L, 0.0);
            for (var i = 0; i < Most; i++)
            {
                if (i == First)
                    (memory, processor) = (stand.Broker.ResidentBytes, stand.Broker.CpuSeconds);
                var client = new TcpClient();
                await client.ConnectAsync("127.0.0.1", files.TlsPort);
                var stream = new SslStream(client.GetStream());
                streams.Add(stream);
                await stream.AuthenticateAsClientAsync(
                    new SslClientAuthenticationOptions { TargetHost = "localhost", CertificateChainPolicy = trust }
                );
                await stream.WriteAsync(DeviceFleet.SignIn(i, files.Password));
                await stream.ReadExactlyAsync(new byte[4]);
            }
            table.Condition(
                "broker: a connection with TLS",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{(stand.Broker.ResidentBytes - memory) / 1024.0 / (Most - First):0.0} KiB, "
                        + $"{(stand.Broker.CpuSeconds - processor) * 1e3 / (Most - First):0.00} ms to connect"
                )
            );
        }
        finally
        {
            foreach (var stream in streams)
                await stream.DisposeAsync();
        }
    }
}
