using System.Security.Cryptography;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Snowflake;

/// <summary>The RSA key pair with which a Snowflake user signs in. Thread-safe.</summary>
sealed class KeyPair(RSA rsa) : IDisposable
{
    public const int MinBits = 2048;

    /// <summary>Far larger than any key: a path to a disk image must not be read into memory.</summary>
    const int MaxFileBytes = 1 << 20;

    readonly Lock gate = new();

    /// <summary>Size of the modulus.</summary>
    public int Bits => rsa.KeySize;

    /// <summary>
    /// <c>SHA256:</c> and the standard Base64, with padding, of the hash of the public key's DER form, which DESC USER shows as
    /// RSA_PUBLIC_KEY_FP.
    /// </summary>
    public string Fingerprint { get; } = FingerprintOf(rsa);

    /// <summary>Signs with RSASSA-PKCS1-v1_5 and SHA-256, the only signature Snowflake accepts.</summary>
    public byte[] Sign(ReadOnlySpan<byte> data)
    {
        // RSA instances are not documented as thread-safe.
        lock (gate)
            return rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    }

    public static string FingerprintOf(RSA key) => "SHA256:" + Convert.ToBase64String(SHA256.HashData(key.ExportSubjectPublicKeyInfo()));

    /// <summary>
    /// Reads an RSA private key from a file: PKCS#8 or PKCS#1, PEM or DER, encrypted or not, however a shell or a secret store has wrapped
    /// the text. Null on failure; <paramref name="problem"/> then says what the file is instead and what to do. It never quotes the file.
    /// </summary>
    public static KeyPair? Load(string path, string? passphrase, out string problem)
    {
        if (Directory.Exists(path))
        {
            problem =
                "which is a directory: Docker makes one when the file that should be mounted there does not exist. Remove it, then make "
                + "the key with: snowpipe-forwarder keygen";
            return null;
        }
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > MaxFileBytes and var length })
            {
                problem = $"which has {length} bytes and is not a key; a key has a few thousand. Correct the path.";
                return null;
            }
            return Parse(File.ReadAllBytes(path), passphrase, path, out problem);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem =
                $"which cannot be read ({Settings.Reason(e)}); "
                + (
                    e is UnauthorizedAccessException
                        ? $"make it readable for the user this process runs as, for example: chown {Environment.UserName} {path}"
                        : "make a key with: snowpipe-forwarder keygen, or correct the path"
                );
            return null;
        }
    }

    static KeyPair? Parse(byte[] file, string? passphrase, string path, out string problem)
    {
        var content = KeyFileContent.Read(file);
        if (content.Found is { } found)
        {
            problem = $"which is {found.Replace("{path}", path, StringComparison.Ordinal)}";
            return null;
        }
        var form = KeyForm.Of(content.Der);
        if (form.Problem is { } wrong)
        {
            problem = $"which is {wrong.Replace("{path}", path, StringComparison.Ordinal)}";
            return null;
        }
        if (form.Encryption is { } encryption && string.IsNullOrEmpty(passphrase))
        {
            problem =
                $"which is an encrypted key ({encryption.Name}), and there is no passphrase; set SNOWFLAKE_PRIVATE_KEY_PASSPHRASE_FILE to "
                + "a file that holds it (with Compose: SNOWFLAKE_PRIVATE_KEY_PASSPHRASE_PATH in .env, or for the s3-forwarder "
                + "SNOWPIPE_KEY_PASSPHRASE_PATH).";
            return null;
        }
        var rsa = RSA.Create();
        if (TryImport(rsa, content.Der, form, passphrase, path, out problem))
            return new KeyPair(rsa);
        rsa.Dispose();
        return null;
    }

    static bool TryImport(RSA rsa, byte[] der, KeyForm form, string? passphrase, string path, out string problem)
    {
        try
        {
            if (form.Encryption is not null)
                rsa.ImportEncryptedPkcs8PrivateKey(passphrase, der, out _);
            else if (form.IsPkcs8)
                rsa.ImportPkcs8PrivateKey(der, out _);
            else
                rsa.ImportRSAPrivateKey(der, out _);
        }
        // PlatformNotSupportedException and others: the operating system's library does not have this encryption.
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            problem = form.Encryption switch
            {
                null => "which is a damaged RSA key: its numbers do not belong together. Copy the file again, or make a new key with: "
                    + "snowpipe-forwarder keygen",
                { IsReadable: true } readable =>
                    $"which cannot be decrypted ({readable.Name}): the passphrase is wrong or the file is damaged. Check "
                        + "the passphrase's file (SNOWFLAKE_PRIVATE_KEY_PASSPHRASE_FILE; in .env …_PATH).",
                var other => $"which is encrypted with {other.Name}; this program cannot read that, whatever the passphrase. "
                    + $"{KeyForm.Reencrypt.Replace("{path}", path, StringComparison.Ordinal)}",
            };
            return false;
        }
        problem =
            rsa.KeySize < MinBits
                ? $"which has {rsa.KeySize} bits; Snowflake wants at least {MinBits}. Make a new one with: snowpipe-forwarder keygen"
            : !Signs(rsa)
                ? "which is a damaged RSA key: its private and its public half do not belong together. Copy the file again, or make a new "
                    + "key with: snowpipe-forwarder keygen"
            : "";
        return problem.Length == 0;
    }

    // A key with a changed digit can still load; its signatures would be refused as those of an unregistered key.
    static bool Signs(RSA rsa)
    {
        try
        {
            return rsa.VerifyData(
                "."u8,
                rsa.SignData("."u8, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
                HashAlgorithmName.SHA256,
                RSASignaturePadding.Pkcs1
            );
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    public void Dispose() => rsa.Dispose();
}
