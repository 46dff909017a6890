using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>An authority and what it signed: a broker's certificate for 127.0.0.1 and localhost, and a client's.</summary>
sealed class TestCertificates : IDisposable
{
    readonly TempDirectory directory = new();

    public TestCertificates()
    {
        var now = TimeProvider.System.GetUtcNow();
        using var caKey = RSA.Create(2048);
        var caRequest = new CertificateRequest("CN=test authority", caKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        caRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        caRequest.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        caRequest.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(caRequest.PublicKey, false));
        using var ca = caRequest.CreateSelfSigned(now.AddDays(-1), now.AddDays(2));
        File.WriteAllText(CaFile, ca.ExportCertificatePem());
        Sign(
            ca,
            "CN=127.0.0.1",
            "server",
            now,
            names =>
            {
                names.AddIpAddress(IPAddress.Loopback);
                names.AddDnsName("localhost");
            }
        );
        Sign(ca, "CN=agent", "client", now, names => names.AddDnsName("agent"));
    }

    public string CaFile => directory.File("ca.pem");

    public string ClientCertificateFile => directory.File("client.pem");

    public string ClientKeyFile => directory.File("client.key");

    public BrokerTls ForBroker(bool requireClientCertificate) =>
        new(CaFile, directory.File("server.pem"), directory.File("server.key"), requireClientCertificate);

    public void Dispose() => directory.Dispose();

    void Sign(X509Certificate2 ca, string subject, string file, DateTimeOffset now, Action<SubjectAlternativeNameBuilder> addNames)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        addNames(names);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        using var certificate = request.Create(ca, now.AddDays(-1), now.AddDays(1), RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(directory.File($"{file}.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(directory.File($"{file}.key"), key.ExportPkcs8PrivateKeyPem());
    }
}
