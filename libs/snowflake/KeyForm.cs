using System.Formats.Asn1;

namespace ThermalStreaming.Snowflake;

/// <summary>The kind of key in the DER bytes of a key file, by their structure: the label of a PEM file is often wrong.</summary>
/// <remarks>
/// RFC 5958 (PKCS#8), RFC 8017 appendix A.1 (PKCS#1), RFC 5280 (certificates, public keys), RFC 7292 (PKCS#12), RFC 5915 (EC).
/// </remarks>
/// <param name="IsPkcs8">An RSA key in PKCS#8; otherwise, without <see cref="Problem"/>, in PKCS#1.</param>
/// <param name="Encryption">How it is encrypted; null if it is not.</param>
/// <param name="Problem">
/// What the content is instead of an RSA private key, completing "which is …"; <c>{path}</c> stands for the file.
/// </param>
readonly record struct KeyForm(bool IsPkcs8, KeyEncryption? Encryption = null, string? Problem = null)
{
    public const string Reencrypt =
        "Convert it with: openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -in {path} -out rsa_key.p8";

    const string Rsa = "1.2.840.113549.1.1.1",
        RsaPss = "1.2.840.113549.1.1.10";
    const string NeedsRsa = "Snowflake's key-pair sign-in here needs an RSA key. " + KeyFileContent.MakeOne;

    public static KeyForm Of(byte[] der)
    {
        try
        {
            var reader = new AsnReader(der, AsnEncodingRules.BER, new AsnReaderOptions { SkipSetSortOrderVerification = true });
            return Of(reader.ReadSequence());
        }
        catch (AsnContentException)
        {
            return Is(
                Missing(der) is > 0 and var missing
                    ? $"a key that is cut off: {missing} bytes are missing at its end. Copy the file again."
                    : $"a damaged file, or no key at all; {KeyFileContent.MustBe}. Copy the file again."
            );
        }
    }

    static KeyForm Of(AsnReader body)
    {
        if (IsNext(body, UniversalTagNumber.Integer))
            return OfNumbered(body);
        if (!IsNext(body, UniversalTagNumber.Sequence))
            throw new AsnContentException();
        var first = body.ReadSequence();
        if (IsNext(body, UniversalTagNumber.BitString))
            return Is("the public key; name the private one, usually rsa_key.p8 beside it.");
        if (IsNext(body, UniversalTagNumber.OctetString))
            return new(IsPkcs8: true, KeyEncryption.Read(first));
        if (!IsNext(body, UniversalTagNumber.Sequence))
            throw new AsnContentException();
        var isRequest = IsNext(first, UniversalTagNumber.Integer) && first.ReadInteger().IsZero;
        return Is(
            isRequest
                ? $"a certificate request; {KeyFileContent.MustBe}. {KeyFileContent.MakeOne}"
                : $"a certificate, which holds a public key only; name the private key that belongs to it. {KeyFileContent.MakeOne}"
        );
    }

    /// <summary>Structures that begin with a version or a number.</summary>
    static KeyForm OfNumbered(AsnReader body)
    {
        var first = body.ReadInteger();
        if (IsNext(body, UniversalTagNumber.Sequence))
        {
            if (first == 3)
                return Is("a PKCS#12 file; take the key out with: openssl pkcs12 -in {path} -nocerts -nodes -out rsa_key.p8");
            var algorithm = body.ReadSequence().ReadObjectIdentifier();
            _ = body.ReadOctetString();
            return algorithm switch
            {
                Rsa => new(IsPkcs8: true),
                RsaPss => Is($"an RSA key that may sign by PSS only (RSASSA-PSS); Snowflake wants RS256. {KeyFileContent.MakeOne}"),
                _ => Is($"{NameOf(algorithm)}, not an RSA key. {NeedsRsa}"),
            };
        }
        if (IsNext(body, UniversalTagNumber.OctetString))
            return Is($"an EC key, not an RSA key. {NeedsRsa}");
        var numbers = 1;
        while (IsNext(body, UniversalTagNumber.Integer))
        {
            _ = body.ReadIntegerBytes();
            numbers++;
        }
        return numbers switch
        {
            2 => Is("the public key (PKCS#1); name the private one, usually rsa_key.p8 beside it."),
            6 => Is($"a DSA key, not an RSA key. {NeedsRsa}"),
            9 when first.IsZero => new(IsPkcs8: false),
            9 => Is($"an RSA key of more than two primes, which this program cannot read. {KeyFileContent.MakeOne}"),
            _ => throw new AsnContentException(),
        };
    }

    static KeyForm Is(string problem) => new(false, null, problem);

    static bool IsNext(AsnReader reader, UniversalTagNumber tag) =>
        reader.HasData && reader.PeekTag() is { TagClass: TagClass.Universal } next && next.TagValue == (int)tag;

    static string NameOf(string algorithm) =>
        algorithm switch
        {
            "1.2.840.10045.2.1" => "an EC key",
            "1.3.101.112" => "an Ed25519 key",
            "1.3.101.113" => "an Ed448 key",
            "1.3.101.110" or "1.3.101.111" => "an X25519 or X448 key",
            "1.2.840.10040.4.1" => "a DSA key",
            "1.2.840.113549.1.3.1" => "a Diffie-Hellman key",
            _ => $"a key of algorithm {algorithm}",
        };

    /// <summary>How many bytes the file lacks, by the outermost length.</summary>
    static int Missing(byte[] der) =>
        der is [0x30, 0x82, var high, var low, ..] ? 4 + (high << 8 | low) - der.Length
        : der is [0x30, 0x81, var only, ..] ? 3 + only - der.Length
        : 0;
}
