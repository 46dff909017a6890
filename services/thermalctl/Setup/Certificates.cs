using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// The broker's certificate and the authority that signs it. Makes whatever is missing, and renews the certificate a month before it
/// expires and when the machine's names change.
/// </summary>
sealed class Certificates(SetupPlaces places, TextWriter output, TimeProvider clock)
{
    const int AuthorityDays = 7300;
    const int UsualDays = 820;
    const int UsualRenewSeconds = 30 * 24 * 3600;
    const int SerialBytes = 16;
    const int LongestCommonName = 64;
    const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    string AuthorityKey => Path.Combine(places.Authority, "ca.key");

    string AuthorityCertificate => Path.Combine(places.Auth, "ca.crt");

    string Certificate => Path.Combine(places.Auth, "server.crt");

    string Key => Path.Combine(places.Auth, "server.key");

    string NamesFile => Path.Combine(places.Auth, "server.names");

    /// <summary>The names that other machines use for this one.</summary>
    string Names =>
        string.Join(
            ',',
            [
                "DNS:mosquitto",
                "DNS:localhost",
                "IP:127.0.0.1",
                $"DNS:{places.HostName}",
                $"DNS:{places.HostName}.local",
                .. places
                    .Setting("MQTT_LAN_NAMES")
                    .Split([',', ' '], StringSplitOptions.RemoveEmptyEntries)
                    .Select(name => IPAddress.TryParse(name, out _) ? $"IP:{name}" : $"DNS:{name}"),
            ]
        );

    /// <summary>Whether the certificate is valid now.</summary>
    public bool AreValid => EndsAfter(TimeSpan.Zero);

    /// <exception cref="FailureException">A certificate cannot contain one of the names.</exception>
    public void Make()
    {
        using var key = AuthoritysKey();
        using var authority = Authority(key);
        var names = Names;
        var remaining = TimeSpan.FromSeconds(places.Number("CERTIFICATE_RENEW_SECONDS", UsualRenewSeconds));
        if (names == SafeFile.ReadOrEmpty(NamesFile) && EndsAfter(remaining) && IsUsable(authority))
            return;
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = Issue(authority, own, names);
        // Mosquitto loads both when either has changed. The names come last: after a crash in between, everything is made again.
        SafeFile.WriteTogether(
            (Key, own.ExportPkcs8PrivateKeyPem() + "\n"),
            (Certificate, certificate.ExportCertificatePem() + "\n"),
            (NamesFile, names)
        );
        output.WriteLine($"made a certificate for {names}");
    }

    ECDsa AuthoritysKey()
    {
        var key = ECDsa.Create();
        if (SafeFile.ReadOrEmpty(AuthorityKey) is { Length: > 0 } pem)
        {
            try
            {
                key.ImportFromPem(pem);
                return key;
            }
            catch (Exception e) when (e is ArgumentException or CryptographicException)
            {
                key.Dispose();
                throw new FailureException($"{AuthorityKey} is not a key", e.Message.ReplaceLineEndings(" "), SetupCommand.LookAtDisk);
            }
        }
        key.GenerateKey(ECCurve.NamedCurves.nistP256);
        // The certificate signed by the lost key goes first: a kill in between must not leave it beside the new key.
        File.Delete(Certificate);
        File.Delete(AuthorityCertificate);
        SafeFile.Write(AuthorityKey, key.ExportPkcs8PrivateKeyPem() + "\n");
        return key;
    }

    /// <summary>
    /// Also makes the authority's certificate if only its volume was lost. Key and name are then the same, so devices that have the old one
    /// trust it.
    /// </summary>
    X509Certificate2 Authority(ECDsa key)
    {
        if (KnownAuthority(key) is { } known)
            return known;
        var request = new CertificateRequest(Name($"Thermal Streaming {places.HostName}"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        const X509KeyUsageFlags Signs = X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign;
        request.CertificateExtensions.Add(new X509KeyUsageExtension(Signs, critical: true));
        var identifier = new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false);
        request.CertificateExtensions.Add(identifier);
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(identifier));
        var now = clock.GetUtcNow();
        var made = request.CreateSelfSigned(now, now.AddDays(AuthorityDays));
        File.Delete(Certificate);
        SafeFile.Write(AuthorityCertificate, made.ExportCertificatePem() + "\n", SafeFile.ReadOnlyForAll);
        return made;
    }

    /// <returns>Null if the authority has no certificate, or it is not of this key.</returns>
    X509Certificate2? KnownAuthority(ECDsa key)
    {
        if (SafeFile.ReadOrEmpty(AuthorityCertificate) is not { Length: > 0 } pem)
            return null;
        try
        {
            using var known = X509Certificate2.CreateFromPem(pem);
            if (known.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo()))
                return known.CopyWithPrivateKey(key);
        }
        catch (CryptographicException)
        {
            // The certificate is damaged. The key makes it again.
        }
        output.WriteLine(
            $"{AuthorityCertificate} did not match the authority's key; made a new one: devices with the old one need the new one"
        );
        return null;
    }

    X509Certificate2 Issue(X509Certificate2 authority, ECDsa key, string names)
    {
        var request = new CertificateRequest(Name(places.HostName), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, false, 0, critical: false));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerAuthentication)], critical: false));
        request.CertificateExtensions.Add(AlternativeNames(names));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        var issuer = X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, includeKeyIdentifier: true, false);
        request.CertificateExtensions.Add(issuer);
        // A Raspberry Pi that has just started may have a clock in the past.
        var now = clock.GetUtcNow();
        var start = now > authority.NotBefore ? now : authority.NotBefore;
        var end = start.AddDays(places.Number("CERTIFICATE_DAYS", UsualDays));
        var serial = RandomNumberGenerator.GetBytes(SerialBytes);
        // Keeps the number positive.
        serial[0] &= 0x7f;
        return request.Create(authority, start, end < authority.NotAfter ? end : authority.NotAfter, serial);
    }

    static X509Extension AlternativeNames(string names)
    {
        var builder = new SubjectAlternativeNameBuilder();
        foreach (var name in names.Split(','))
        {
            var value = name[(name.IndexOf(':', StringComparison.Ordinal) + 1)..];
            try
            {
                if (name.StartsWith("IP:", StringComparison.Ordinal))
                    builder.AddIpAddress(IPAddress.Parse(value));
                else
                    builder.AddDnsName(value);
            }
            catch (Exception e) when (e is ArgumentException or FormatException)
            {
                throw new FailureException(
                    $"'{value}' cannot be a name in the broker's certificate",
                    e.Message,
                    "correct MQTT_LAN_NAMES in .env"
                );
            }
        }
        return builder.Build();
    }

    static X500DistinguishedName Name(string common)
    {
        var builder = new X500DistinguishedNameBuilder();
        builder.AddCommonName(common.Length > LongestCommonName ? common[..LongestCommonName] : common);
        return builder.Build();
    }

    /// <summary>Whether the key belongs to the certificate, and the authority signed it.</summary>
    bool IsUsable(X509Certificate2 authority)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(SafeFile.ReadOrEmpty(Certificate), SafeFile.ReadOrEmpty(Key));
            using var key = authority.GetECDsaPublicKey()!;
            // Not X509Chain: it looks for stores in a home directory, which the container lacks.
            var parts = new AsnReader(certificate.RawDataMemory, AsnEncodingRules.DER).ReadSequence();
            var signed = parts.ReadEncodedValue();
            parts.ReadSequence();
            var signature = parts.ReadBitString(out _);
            return certificate.IssuerName.RawData.AsSpan().SequenceEqual(authority.SubjectName.RawData)
                && key.VerifyData(signed.Span, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or AsnContentException)
        {
            return false;
        }
    }

    bool EndsAfter(TimeSpan time)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(SafeFile.ReadOrEmpty(Certificate));
            return certificate.NotAfter.ToUniversalTime() > clock.GetUtcNow() + time;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }
}
