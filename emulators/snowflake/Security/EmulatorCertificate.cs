using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// The certificates for HTTPS: an authority kept with the data, and a server certificate made at start and renewed while the emulator
/// runs. Safe for concurrent use.
/// </summary>
sealed class EmulatorCertificate(EmulatorSettings settings, TimeProvider clock)
{
    static readonly TimeSpan Validity = TimeSpan.FromDays(30);
    static readonly TimeSpan RenewBefore = TimeSpan.FromDays(10);

    readonly Lock gate = new();
    X509Certificate2? current;

    /// <summary>The authority's certificate, which a client must trust.</summary>
    public static string AuthorityPath(EmulatorSettings settings) => Path.Combine(settings.DataDirectory, "tls", "ca.pem");

    /// <summary>The current server certificate. A new one is also written to <c>tls/server.pem</c> below the data directory.</summary>
    public X509Certificate2 Current
    {
        get
        {
            lock (gate)
            {
                // A handshake may still use the previous certificate, so it is left to the garbage collector.
                if (current is null || current.NotAfter.ToUniversalTime() - RenewBefore <= clock.GetUtcNow().UtcDateTime)
                    current = Make();
                return current;
            }
        }
    }

    X509Certificate2 Make()
    {
        var directory = Directory.CreateDirectory(Path.Combine(settings.DataDirectory, "tls")).FullName;
        var now = clock.GetUtcNow();
        using var authority = Authority(directory, now);

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Snowflake emulator", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (
            var name in new[]
            {
                "localhost",
                "snowflake",
                Environment.MachineName,
                settings.IngestHost?.Replace('_', '-'),
                "*.snowflakecomputing.com",
                "*.ingest.snowflakecomputing.com",
                settings.Account == "*" ? null : $"{settings.Account.Replace('_', '-')}.snowflakecomputing.com",
            }
                .OfType<string>()
                .Select(n => n.ToLowerInvariant())
                .Distinct()
        )
            names.AddDnsName(name);
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        // Python 3.13 and other clients refuse a certificate without its authority's key identifier.
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, true, false));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        using var signed = request.Create(authority, now.AddDays(-1), now + Validity, RandomNumberGenerator.GetBytes(16));
        File.WriteAllText(Path.Combine(directory, "server.pem"), signed.ExportCertificatePem() + "\n");
        using var withKey = signed.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>The authority stays the same over restarts, so that a client must trust it only once.</summary>
    static X509Certificate2 Authority(string directory, DateTimeOffset now)
    {
        var certificatePath = Path.Combine(directory, "ca.pem");
        var keyPath = Path.Combine(directory, "ca.key");
        if (File.Exists(certificatePath) && File.Exists(keyPath))
        {
            var kept = X509Certificate2.CreateFromPemFile(certificatePath, keyPath);
            if (kept.NotAfter.ToUniversalTime() > now.UtcDateTime.AddDays(60))
                return kept;
            kept.Dispose();
        }
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Snowflake emulator authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var made = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(3650));
        File.WriteAllText(keyPath, "");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(keyPath, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllText(keyPath, key.ExportPkcs8PrivateKeyPem() + "\n");
        File.WriteAllText(certificatePath, made.ExportCertificatePem() + "\n");
        return made;
    }
}
