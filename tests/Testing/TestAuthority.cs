using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ThermalStreaming.Testing;

/// <summary>An authority of a test's own, which signs certificates into PEM files of a directory that ends with it.</summary>
public sealed class TestAuthority : IDisposable
{
    readonly TempDirectory directory = new();
    readonly RSA key = RSA.Create(2048);
    readonly X509Certificate2 certificate;
    readonly DateTimeOffset now = TimeProvider.System.GetUtcNow();

    /// <param name="name">Its common name.</param>
    public TestAuthority(string name = "test authority")
    {
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        certificate = request.CreateSelfSigned(now.AddDays(-30), now.AddDays(30));
        File.WriteAllText(CaFile, certificate.ExportCertificatePem());
    }

    /// <summary>Its certificate.</summary>
    public string CaFile => directory.File("ca.pem");

    /// <summary>Signs a certificate, over one of the same file name.</summary>
    /// <param name="file">Of the files, without their endings <c>.pem</c> and <c>.key</c>.</param>
    /// <param name="days">From when until when it is valid, in days from now.</param>
    /// <param name="names">Host names and addresses.</param>
    /// <returns>The files of the certificate and of its key.</returns>
    public (string Certificate, string Key) Sign(string file, (double From, double Until) days, params IEnumerable<string> names)
    {
        using var signed = RSA.Create(2048);
        var request = new CertificateRequest($"CN={file}", signed, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
                alternatives.AddIpAddress(address);
            else
                alternatives.AddDnsName(name);
        }
        request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        using var made = request.Create(certificate, now.AddDays(days.From), now.AddDays(days.Until), RandomNumberGenerator.GetBytes(8));
        var files = (directory.File($"{file}.pem"), directory.File($"{file}.key"));
        File.WriteAllText(files.Item1, made.ExportCertificatePem());
        File.WriteAllText(files.Item2, signed.ExportPkcs8PrivateKeyPem());
        return files;
    }

    public void Dispose()
    {
        certificate.Dispose();
        key.Dispose();
        directory.Dispose();
    }
}
