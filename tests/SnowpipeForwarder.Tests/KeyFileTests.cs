using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Configuration;
using ThermalStreaming.Hosting;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SnowpipeForwarder.Tests;

/// <summary>
/// Private keys as shells, editors, secret stores and other programs leave them: each is read, or named for what it is with what to do.
/// </summary>
public sealed class KeyFileTests : IDisposable
{
    static readonly RSA rsa = MakeKey();
    static readonly string pkcs8 = rsa.ExportPkcs8PrivateKeyPem();
    static readonly PbeParameters aes = new(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000);

    readonly TempDirectory directory = new();

    public void Dispose() => directory.Dispose();

    public static TheoryData<string> Forms() =>
        [
            "PKCS#8",
            "PKCS#1",
            "PKCS#8 under the label of PKCS#1",
            "PKCS#1 under the label of PKCS#8",
            "DER",
            "DER of PKCS#1",
            "CRLF",
            "BOM",
            "UTF-16",
            "UTF-16 with BOM, big end first",
            "one line with \\n",
            "one line with \\r\\n",
            "one line with \\\\n",
            "one line with blanks",
            "one line without anything",
            "quotes",
            "single quotes",
            "indented",
            "in YAML",
            "a name before it",
            "bare Base64",
            "bare Base64 in lines",
            "bare Base64 in quotes",
            "Base64 of the PEM",
            "Base64 of the PEM in lines",
            "Base64 of the Base64 of the PEM",
            "Base64 of the DER of PKCS#1",
            "Base64url",
            "percent-encoded",
            "as a form has it",
            "behind bag attributes",
            "behind a certificate",
            "mail quotes",
            "no last line end",
            "blank lines",
            "JSON string",
            "no first line",
        ];

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_key_is_read_however_it_is_wrapped(string form)
    {
        var body = string.Concat(pkcs8.Split('\n').Where(line => !line.StartsWith('-')));
        var base64 = Convert.ToBase64String(Encoding.ASCII.GetBytes(pkcs8));
        object content = form switch
        {
            "PKCS#8" => pkcs8,
            "PKCS#1" => rsa.ExportRSAPrivateKeyPem(),
            "PKCS#8 under the label of PKCS#1" => pkcs8.Replace("PRIVATE KEY", "RSA PRIVATE KEY", StringComparison.Ordinal),
            "PKCS#1 under the label of PKCS#8" => rsa.ExportRSAPrivateKeyPem()
                .Replace("RSA PRIVATE KEY", "PRIVATE KEY", StringComparison.Ordinal),
            "DER" => rsa.ExportPkcs8PrivateKey(),
            "DER of PKCS#1" => rsa.ExportRSAPrivateKey(),
            "CRLF" => pkcs8.ReplaceLineEndings("\r\n"),
            "BOM" => "\uFEFF" + pkcs8,
            "UTF-16" => Encoding.Unicode.GetBytes(pkcs8),
            "UTF-16 with BOM, big end first" => Encoding.BigEndianUnicode.GetBytes("\uFEFF" + pkcs8),
            "one line with \\n" => pkcs8.ReplaceLineEndings("\\n") + "\\n\n",
            "one line with \\r\\n" => pkcs8.ReplaceLineEndings("\\r\\n"),
            "one line with \\\\n" => pkcs8.ReplaceLineEndings("\\\\n"),
            "one line with blanks" => pkcs8.ReplaceLineEndings(" "),
            "one line without anything" => pkcs8.ReplaceLineEndings(""),
            "quotes" => $"\"{pkcs8}\"\n",
            "single quotes" => $"'{pkcs8.ReplaceLineEndings("\\n")}'\n",
            "indented" => "    " + pkcs8.ReplaceLineEndings("\n    "),
            "in YAML" => "key: |\n  " + pkcs8.ReplaceLineEndings("\n  "),
            "a name before it" => "SNOWFLAKE_PRIVATE_KEY=" + body,
            "bare Base64" => body,
            "bare Base64 in lines" => string.Join("\r\n", body.Chunk(64).Select(line => new string(line))),
            "bare Base64 in quotes" => $"\"{body}\"",
            "Base64 of the PEM" => base64,
            "Base64 of the PEM in lines" => string.Join('\n', base64.Chunk(76).Select(line => new string(line))),
            "Base64 of the Base64 of the PEM" => Convert.ToBase64String(Encoding.ASCII.GetBytes(base64)),
            "Base64 of the DER of PKCS#1" => Convert.ToBase64String(rsa.ExportRSAPrivateKey()),
            "Base64url" => body.Replace('+', '-').Replace('/', '_').TrimEnd('='),
            "percent-encoded" => Uri.EscapeDataString(pkcs8),
            "as a form has it" => "-----BEGIN+PRIVATE+KEY-----" + body + "-----END+PRIVATE+KEY-----",
            "behind bag attributes" => "Bag Attributes\n    localKeyID: 01 02\nKey Attributes: <No Attributes>\n" + pkcs8,
            "behind a certificate" => Certificate() + "\n" + pkcs8,
            "mail quotes" => "> " + pkcs8.ReplaceLineEndings("\n> "),
            "no last line end" => pkcs8.TrimEnd(),
            "blank lines" => "\n\n" + pkcs8.ReplaceLineEndings("\n\n") + "\n\n",
            "JSON string" => System.Text.Json.JsonSerializer.Serialize(pkcs8),
            "no first line" => body + "\n-----END PRIVATE KEY-----\n",
            _ => throw new ArgumentOutOfRangeException(nameof(form)),
        };

        using var key = KeyPair.Load(Write(content), null, out var problem);

        Assert.Equal("", problem);
        Assert.Equal(KeyPair.FingerprintOf(rsa), key?.Fingerprint);
    }

    [Theory]
    [InlineData("AES-128", true)]
    [InlineData("AES-192", true)]
    [InlineData("AES-256", true)]
    [InlineData("3DES", true)]
    [InlineData("AES-256", false)]
    public void An_encrypted_key_opens_with_its_passphrase(string cipher, bool isRight)
    {
        var parameters = cipher switch
        {
            "AES-128" => new PbeParameters(PbeEncryptionAlgorithm.Aes128Cbc, HashAlgorithmName.SHA1, 1000),
            "AES-192" => new PbeParameters(PbeEncryptionAlgorithm.Aes192Cbc, HashAlgorithmName.SHA512, 1000),
            "3DES" => new PbeParameters(PbeEncryptionAlgorithm.TripleDes3KeyPkcs12, HashAlgorithmName.SHA1, 1000),
            _ => aes,
        };
        // As a store has it: in one line.
        var path = Write(rsa.ExportEncryptedPkcs8PrivateKeyPem("secret", parameters).ReplaceLineEndings("\\n"));

        using var key = KeyPair.Load(path, isRight ? "secret" : "wrong", out var problem);
        using var without = KeyPair.Load(path, null, out var unasked);

        Assert.Equal(isRight ? KeyPair.FingerprintOf(rsa) : null, key?.Fingerprint);
        Assert.Equal(isRight, problem.Length == 0);
        if (!isRight)
            Assert.Contains("the passphrase is wrong", problem);
        Assert.Null(without);
        Assert.Contains("SNOWFLAKE_PRIVATE_KEY_PASSPHRASE_FILE", unasked);
        Assert.DoesNotContain("secret", problem + unasked);
    }

    /// <summary>
    /// RFC 8018, RFC 7292 and RFC 7914: the key is encrypted in a way that .NET does not know, so no passphrase is at fault.
    /// </summary>
    [Theory]
    [InlineData("scrypt", "scrypt, AES-256-CBC")]
    [InlineData("HMAC-SHA-224", "PBKDF2 with HMAC-SHA-224")]
    [InlineData("HMAC-SHA-512/256", "PBKDF2 with HMAC-SHA-512/256")]
    [InlineData("Camellia", "Camellia")]
    [InlineData("ARIA", "ARIA")]
    [InlineData("AES-GCM", "AES-GCM")]
    [InlineData("RC4", "RC4 of 128 bits")]
    [InlineData("MD2", "PBES1 with MD2 and DES")]
    [InlineData("unknown", "scheme 1.2.3.4")]
    public void An_encryption_that_cannot_be_read_is_named_and_not_called_a_wrong_passphrase(string scheme, string expected)
    {
        var path = Write(Encrypted(scheme));

        using var key = KeyPair.Load(path, "secret", out var problem);

        Assert.Null(key);
        Assert.Contains(expected, problem);
        Assert.Contains($"openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -in {path} -out", problem);
        Assert.DoesNotContain("passphrase is wrong", problem);
    }

    public static TheoryData<string, string> BadKeys() =>
        new()
        {
            { "public", "the public key" },
            { "public, PKCS#1", "the public key" },
            { "public, bare", "the public key" },
            { "public, OpenSSH", "an OpenSSH public key" },
            { "fingerprint", "the fingerprint" },
            { "encrypted", "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE_FILE" },
            { "encrypted the old way", "openssl pkcs8 -topk8 -v2 aes-256-cbc -in {path}" },
            { "encrypted the old way, in one line", "openssl pkcs8 -topk8 -v2 aes-256-cbc -in {path}" },
            { "short", "1024 bits" },
            { "ec", "an EC key, not an RSA key" },
            { "ec, SEC1", "an EC key, not an RSA key" },
            { "ed25519", "an Ed25519 key, not an RSA key" },
            { "pss", "PSS only" },
            { "openssh", "ssh-keygen -p -m PKCS8" },
            { "openssh, ed25519", "not RSA" },
            { "putty", "puttygen {path}" },
            { "certificate", "a 'CERTIFICATE'" },
            { "certificate, DER", "a certificate" },
            { "request", "CERTIFICATE REQUEST" },
            { "pkcs12", "openssl pkcs12 -in {path}" },
            { "jks", "a Java keystore" },
            { "json", "a JSON file" },
            { "jwt", "a token (JWT)" },
            { "empty", "an empty file" },
            { "blank", "an empty file" },
            { "text", "not a PEM file" },
            { "damaged", "damaged" },
            { "cut off", "cut off: " },
            { "no last line", "cut off: " },
            { "not Base64", "not Base64" },
            { "a digit changed", "damaged RSA key" },
            { "directory", "a directory" },
            { "missing", "it does not exist" },
            { "disk image", "is not a key" },
        };

    [Theory]
    [MemberData(nameof(BadKeys))]
    public void A_key_file_that_cannot_be_used_says_what_it_is_instead(string kind, string expected)
    {
        using var small = RSA.Create(1024);
        using var curve = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var body = string.Concat(pkcs8.Split('\n').Where(line => !line.StartsWith('-')));
        object? content = kind switch
        {
            "public" => rsa.ExportSubjectPublicKeyInfoPem(),
            "public, PKCS#1" => rsa.ExportRSAPublicKeyPem().ReplaceLineEndings("\\n"),
            "public, bare" => Convert.ToBase64String(rsa.ExportSubjectPublicKeyInfo()),
            "public, OpenSSH" => "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ me@host\n",
            "fingerprint" => KeyPair.FingerprintOf(rsa),
            "encrypted" => rsa.ExportEncryptedPkcs8PrivateKeyPem("secret", aes),
            "encrypted the old way" =>
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nYWJj\n-----END RSA PRIVATE KEY-----\n",
            "encrypted the old way, in one line" =>
                "-----BEGIN RSA PRIVATE KEY-----\\nProc-Type: 4,ENCRYPTED\\nDEK-Info: AES-256-CBC,00\\n\\nYWJj\\n-----END RSA PRIVATE "
                    + "KEY-----\\n",
            "short" => small.ExportPkcs8PrivateKeyPem(),
            "ec" => curve.ExportPkcs8PrivateKeyPem(),
            "ec, SEC1" => curve.ExportECPrivateKeyPem(),
            // RFC 8410, 10.3.
            "ed25519" =>
                "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n",
            "pss" => Pem("PRIVATE KEY", Pss()),
            "openssh" => Pem("OPENSSH PRIVATE KEY", [.. "openssh-key-v1\0"u8, .. "ssh-rsa"u8]),
            "openssh, ed25519" => Pem("OPENSSH PRIVATE KEY", [.. "openssh-key-v1\0"u8, .. "ssh-ed25519"u8]),
            "putty" => "PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\n",
            "certificate" => Certificate(),
            "certificate, DER" => Convert.FromBase64String(string.Concat(Certificate().Split('\n').Where(line => !line.StartsWith('-')))),
            "request" => new CertificateRequest("CN=x", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSigningRequestPem(),
            "pkcs12" => Pkcs12(),
            "jks" => (byte[])[0xFE, 0xED, 0xFE, 0xED, 0, 0, 0, 2],
            "json" => """{"type":"service_account","private_key":"-----BEGIN"}""",
            "jwt" => "eyJhbGciOiJFUzI1NiJ9.eyJhIjoxfQ.c2ln",
            "empty" => "",
            "blank" => " \r\n\n",
            "text" => "hello",
            "damaged" => "-----BEGIN PRIVATE KEY-----\nYWJj\n-----END PRIVATE KEY-----\n",
            "cut off" => $"-----BEGIN PRIVATE KEY-----\n{body[..800]}\n-----END PRIVATE KEY-----\n",
            "no last line" => pkcs8[..1000],
            "not Base64" => pkcs8.Insert(300, "****"),
            "a digit changed" => Changed(),
            "disk image" => new byte[2 << 20],
            _ => null,
        };
        var path =
            kind is "directory" ? directory.File("key")
            : content is null ? directory.File("nothing")
            : Write(content);
        if (kind == "directory")
            Directory.CreateDirectory(path);
        expected = expected.Replace("{path}", path, StringComparison.Ordinal);

        var problem = Assert.Single(Problems(path));

        Assert.StartsWith($"SNOWFLAKE_PRIVATE_KEY_FILE is '{path}', which", problem);
        Assert.Contains(expected, problem);
        Assert.DoesNotContain("{path}", problem);
        Assert.DoesNotContain('\n', problem);
        Assert.DoesNotContain(body[..40], problem);
    }

    [Fact]
    public void A_key_in_the_place_of_its_path_is_said_and_not_shown()
    {
        foreach (var value in new[] { pkcs8, pkcs8.ReplaceLineEndings("\\n"), Convert.ToBase64String(rsa.ExportPkcs8PrivateKey()) })
        {
            var problem = Assert.Single(Problems(value));

            Assert.Contains("holds a key itself", problem);
            Assert.DoesNotContain("BEGIN", problem);
            Assert.DoesNotContain("MII", problem);
        }
    }

    /// <summary>Whatever stands in the file: a sentence, never an exception, and never a key that cannot sign.</summary>
    [Fact]
    public void Random_damage_is_never_an_exception()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var originals = new[]
        {
            Encoding.ASCII.GetBytes(pkcs8),
            rsa.ExportPkcs8PrivateKey(),
            rsa.ExportRSAPrivateKey(),
            Encoding.ASCII.GetBytes(rsa.ExportEncryptedPkcs8PrivateKeyPem("secret", aes)),
        };
        for (var round = 0; round < 400; round++)
        {
            var bytes = originals[round % originals.Length].ToArray();
            for (var change = random.Next(1, 4); change > 0; change--)
                bytes[random.Next(round % 2 == 0 ? 60 : bytes.Length)] = (byte)random.Next(256);
            var path = Write(random.Next(3) == 0 ? bytes[..random.Next(bytes.Length)] : bytes);

            using var key = KeyPair.Load(path, "secret", out var problem);

            Assert.True((key is null) == (problem.Length > 0), $"seed {seed}, round {round}: {problem}");
            Assert.True(key is null || key.Bits >= KeyPair.MinBits, $"seed {seed}, round {round}");
        }
    }

    static IReadOnlyList<string> Problems(string keyFile)
    {
        var settings = new Settings(
            new ConfigurationBuilder()
                .AddInMemoryCollection(
                    new Dictionary<string, string?>
                    {
                        ["SNOWFLAKE_ACCOUNT"] = "myorg-my_account",
                        ["SNOWFLAKE_USER"] = "streamer",
                        ["SNOWFLAKE_DATABASE"] = "demo",
                        ["SNOWFLAKE_SCHEMA"] = "public",
                        ["SNOWFLAKE_PIPE"] = "thermal_pipe",
                        ["SNOWFLAKE_PRIVATE_KEY_FILE"] = keyFile,
                    }
                )
                .Build()
        );
        SnowpipeOptions.Load(settings);
        return settings.Problems;
    }

    string Write(object content)
    {
        var path = directory.File("key");
        if (content is byte[] bytes)
            File.WriteAllBytes(path, bytes);
        else
            File.WriteAllText(path, (string)content, new UTF8Encoding(false));
        return path;
    }

    static RSA MakeKey()
    {
        var key = RSA.Create();
        key.ImportFromPem(SinkFixture.KeyPem);
        return key;
    }

    static string Pem(string label, byte[] der) => PemEncoding.WriteString(label, der) + "\n";

    static string Certificate()
    {
        using var certificate = new CertificateRequest("CN=x", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(
            new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero),
            new(2027, 11, 1, 0, 0, 0, TimeSpan.Zero)
        );
        return certificate.ExportCertificatePem();
    }

    static byte[] Pkcs12()
    {
        using var certificate = new CertificateRequest("CN=x", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(
            new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero),
            new(2027, 11, 1, 0, 0, 0, TimeSpan.Zero)
        );
        return certificate.Export(X509ContentType.Pkcs12, "secret");
    }

    // Only the private exponent: the key still loads in places, and signs what nobody accepts.
    static string Changed()
    {
        var numbers = rsa.ExportParameters(true);
        numbers.DP![5] ^= 1;
        numbers.D![5] ^= 1;
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(0);
            foreach (
                var number in new[]
                {
                    numbers.Modulus,
                    numbers.Exponent,
                    numbers.D,
                    numbers.P,
                    numbers.Q,
                    numbers.DP,
                    numbers.DQ,
                    numbers.InverseQ,
                }
            )
                writer.WriteIntegerUnsigned(number.AsSpan().TrimStart((byte)0));
        }
        return Pem("RSA PRIVATE KEY", writer.Encode());
    }

    // The same key with the algorithm RSASSA-PSS.
    static byte[] Pss()
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(0);
            using (writer.PushSequence())
                writer.WriteObjectIdentifier("1.2.840.113549.1.1.10");
            writer.WriteOctetString(rsa.ExportRSAPrivateKey());
        }
        return writer.Encode();
    }

    static string Encrypted(string scheme)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            using (writer.PushSequence())
            {
                var old = scheme switch
                {
                    "RC4" => "1.2.840.113549.1.12.1.1",
                    "MD2" => "1.2.840.113549.1.5.1",
                    "unknown" => "1.2.3.4",
                    _ => null,
                };
                writer.WriteObjectIdentifier(old ?? "1.2.840.113549.1.5.13");
                using (writer.PushSequence())
                {
                    if (old is not null)
                    {
                        writer.WriteOctetString(new byte[8]);
                        writer.WriteInteger(2048);
                    }
                    else
                    {
                        WriteScheme2(writer, scheme);
                    }
                }
            }
            writer.WriteOctetString(new byte[1232]);
        }
        return Pem("ENCRYPTED PRIVATE KEY", writer.Encode());
    }

    static void WriteScheme2(AsnWriter writer, string scheme)
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(scheme == "scrypt" ? "1.3.6.1.4.1.11591.4.11" : "1.2.840.113549.1.5.12");
            using (writer.PushSequence())
            {
                writer.WriteOctetString(new byte[16]);
                writer.WriteInteger(16384);
                if (scheme == "scrypt")
                {
                    writer.WriteInteger(8);
                    writer.WriteInteger(1);
                }
                else
                {
                    using (writer.PushSequence())
                    {
                        writer.WriteObjectIdentifier(
                            scheme switch
                            {
                                "HMAC-SHA-224" => "1.2.840.113549.2.8",
                                "HMAC-SHA-512/256" => "1.2.840.113549.2.13",
                                _ => "1.2.840.113549.2.9",
                            }
                        );
                        writer.WriteNull();
                    }
                }
            }
        }
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(
                scheme switch
                {
                    "Camellia" => "1.2.392.200011.61.1.1.1.4",
                    "ARIA" => "1.2.410.200046.1.1.12",
                    "AES-GCM" => "2.16.840.1.101.3.4.1.46",
                    _ => "2.16.840.1.101.3.4.1.42",
                }
            );
            writer.WriteOctetString(new byte[16]);
        }
    }
}
