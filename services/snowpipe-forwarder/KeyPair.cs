using System.Security.Cryptography;
using System.Text;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>The RSA key pair a user of Snowflake signs in with. Thread-safe.</summary>
sealed class KeyPair(RSA rsa) : IDisposable
{
    public const int MinBits = 2048;

    readonly Lock gate = new();

    /// <summary>Size of the modulus.</summary>
    public int Bits => rsa.KeySize;

    /// <summary><c>SHA256:</c> and the standard Base64, with padding, of the hash of the public key's DER form: what DESC USER shows as RSA_PUBLIC_KEY_FP.</summary>
    public string Fingerprint { get; } = FingerprintOf(rsa);

    /// <summary>RSASSA-PKCS1-v1_5 with SHA-256, the only signature Snowflake accepts.</summary>
    public byte[] Sign(ReadOnlySpan<byte> data)
    {
        // RSA instances promise nothing about concurrent use.
        lock (gate)
            return rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    }

    public static string FingerprintOf(RSA key) => "SHA256:" + Convert.ToBase64String(SHA256.HashData(key.ExportSubjectPublicKeyInfo()));

    /// <summary>Reads a PEM file. On failure null, and <paramref name="problem"/> says what the file is instead and what to do; it never quotes the file.</summary>
    public static KeyPair? Load(string path, string? passphrase, out string problem)
    {
        if (Directory.Exists(path))
        {
            problem = "which is a directory: Docker makes one when the file that should be mounted there does not exist. Remove it, then make the key with: snowpipe-forwarder keygen";
            return null;
        }
        try
        {
            return Parse(File.ReadAllText(path, Encoding.Latin1), passphrase, path, out problem);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = $"which cannot be read ({Settings.Reason(e)}); "
                + (e is UnauthorizedAccessException ? $"make it readable for the user this process runs as, for example: chown {Environment.UserName} {path}" : "make a key with: snowpipe-forwarder keygen, or correct the path");
            return null;
        }
    }

    static KeyPair? Parse(string text, string? passphrase, string path, out string problem)
    {
        const string convert = "it must be an RSA private key in PEM form (PKCS#8)";
        problem = Label(text) switch
        {
            "PRIVATE KEY" or "RSA PRIVATE KEY" when text.Contains("Proc-Type: 4,ENCRYPTED", StringComparison.Ordinal)
                => $"a key encrypted the old way (PKCS#1); convert it with: openssl pkcs8 -topk8 -v2 aes256 -in {path} -out rsa_key.p8",
            "PRIVATE KEY" or "RSA PRIVATE KEY" => "",
            "ENCRYPTED PRIVATE KEY" when string.IsNullOrEmpty(passphrase)
                => "an encrypted key, and there is no passphrase; set SNOWFLAKE_PRIVATE_KEY_PASSPHRASE_FILE to a file that holds it",
            "ENCRYPTED PRIVATE KEY" => "",
            "PUBLIC KEY" or "RSA PUBLIC KEY" => "the public key; name the private one, usually rsa_key.p8 beside it",
            "OPENSSH PRIVATE KEY" => $"an OpenSSH key; {convert}. Make one with: snowpipe-forwarder keygen",
            { } other => $"a PEM file that holds '{other}'; {convert}",
            null when text.Length == 0 => $"an empty file; {convert}",
            null when text[0] == '0' => $"not PEM but probably DER; convert it with: openssl pkcs8 -topk8 -nocrypt -inform DER -in {path} -out rsa_key.p8",
            null => $"not a PEM file; {convert}",
        };
        if (problem.Length > 0)
        {
            problem = "which is " + problem + ".";
            return null;
        }
        var rsa = RSA.Create();
        try
        {
            if (Label(text) == "ENCRYPTED PRIVATE KEY")
                rsa.ImportFromEncryptedPem(text, passphrase);
            else
                rsa.ImportFromPem(text);
            if (rsa.KeySize >= MinBits)
                return new KeyPair(rsa);
            problem = $"which has {rsa.KeySize} bits; Snowflake wants at least {MinBits}. Make a new one with: snowpipe-forwarder keygen";
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            problem = Label(text) == "ENCRYPTED PRIVATE KEY"
                ? "which cannot be decrypted: the passphrase is wrong or the file is damaged. Check SNOWFLAKE_PRIVATE_KEY_PASSPHRASE_FILE."
                : $"which is damaged or no RSA key; {convert}.";
        }
        rsa.Dispose();
        return null;
    }

    static string? Label(string text) => PemEncoding.TryFind(text, out var fields)
        ? text[fields.Label]
        : text.Contains("-----BEGIN RSA PRIVATE KEY-----", StringComparison.Ordinal) ? "RSA PRIVATE KEY" : null;

    public void Dispose() => rsa.Dispose();
}
