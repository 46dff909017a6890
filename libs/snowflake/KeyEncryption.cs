using System.Formats.Asn1;

namespace ThermalStreaming.Snowflake;

/// <summary>How a PKCS#8 key is encrypted.</summary>
/// <remarks>RFC 8018 (PBES1, PBES2), RFC 7292 appendix C (PKCS#12), RFC 7914 (scrypt).</remarks>
/// <param name="Name">For a person; includes object identifiers if it has no usual name.</param>
/// <param name="IsReadable">Whether .NET can decrypt it: if so, a failure is due to the passphrase.</param>
sealed record KeyEncryption(string Name, bool IsReadable)
{
    /// <summary>Reads an AlgorithmIdentifier's content.</summary>
    /// <exception cref="AsnContentException">The bytes are not such a structure.</exception>
    public static KeyEncryption Read(AsnReader algorithm)
    {
        var scheme = algorithm.ReadObjectIdentifier();
        if (scheme != "1.2.840.113549.1.5.13")
            return OldScheme(scheme);
        var parameters = algorithm.ReadSequence();
        var derivation = parameters.ReadSequence();
        var cipher = Cipher(parameters.ReadSequence().ReadObjectIdentifier());
        var function = derivation.ReadObjectIdentifier();
        if (function == "1.3.6.1.4.1.11591.4.11")
            return new($"PBES2, scrypt, {cipher.Name}", false);
        if (function != "1.2.840.113549.1.5.12")
            return new($"PBES2, key derivation {function}, {cipher.Name}", false);
        var hash = Hash(derivation.ReadSequence());
        return new($"PBES2, PBKDF2 with {hash.Name}, {cipher.Name}", hash.IsReadable && cipher.IsReadable);
    }

    static (string Name, bool IsReadable) Hash(AsnReader derivation)
    {
        // Salt, iterations, perhaps a key length, perhaps the function; the default is HMAC-SHA-1.
        _ = derivation.ReadEncodedValue();
        _ = derivation.ReadInteger();
        if (derivation.HasData && derivation.PeekTag().TagValue == (int)UniversalTagNumber.Integer)
            _ = derivation.ReadInteger();
        var identifier = derivation.HasData ? derivation.ReadSequence().ReadObjectIdentifier() : "1.2.840.113549.2.7";
        return identifier switch
        {
            "1.2.840.113549.2.7" => ("HMAC-SHA-1", true),
            "1.2.840.113549.2.9" => ("HMAC-SHA-256", true),
            "1.2.840.113549.2.10" => ("HMAC-SHA-384", true),
            "1.2.840.113549.2.11" => ("HMAC-SHA-512", true),
            "1.2.840.113549.2.6" => ("HMAC-MD5", false),
            "1.2.840.113549.2.8" => ("HMAC-SHA-224", false),
            "1.2.840.113549.2.12" => ("HMAC-SHA-512/224", false),
            "1.2.840.113549.2.13" => ("HMAC-SHA-512/256", false),
            _ => (identifier, false),
        };
    }

    static (string Name, bool IsReadable) Cipher(string identifier) =>
        identifier switch
        {
            "2.16.840.1.101.3.4.1.2" => ("AES-128-CBC", true),
            "2.16.840.1.101.3.4.1.22" => ("AES-192-CBC", true),
            "2.16.840.1.101.3.4.1.42" => ("AES-256-CBC", true),
            "1.2.840.113549.3.7" => ("3DES", true),
            "2.16.840.1.101.3.4.1.6" or "2.16.840.1.101.3.4.1.26" or "2.16.840.1.101.3.4.1.46" => ("AES-GCM", false),
            "1.3.14.3.2.7" => ("DES", false),
            "1.2.840.113549.3.2" => ("RC2", false),
            "1.2.392.200011.61.1.1.1.2" or "1.2.392.200011.61.1.1.1.3" or "1.2.392.200011.61.1.1.1.4" => ("Camellia", false),
            "1.2.410.200046.1.1.2" or "1.2.410.200046.1.1.7" or "1.2.410.200046.1.1.12" => ("ARIA", false),
            "1.2.410.200004.1.4" => ("SEED", false),
            "1.2.156.10197.1.104.2" => ("SM4", false),
            _ => ($"cipher {identifier}", false),
        };

    static KeyEncryption OldScheme(string identifier) =>
        identifier switch
        {
            "1.2.840.113549.1.12.1.3" => new("PKCS#12 with SHA-1 and 3DES", true),
            "1.2.840.113549.1.12.1.4" => new("PKCS#12 with SHA-1 and 3DES of two keys", true),
            "1.2.840.113549.1.12.1.1" => new("PKCS#12 with SHA-1 and RC4 of 128 bits", false),
            "1.2.840.113549.1.12.1.2" => new("PKCS#12 with SHA-1 and RC4 of 40 bits", false),
            "1.2.840.113549.1.12.1.5" => new("PKCS#12 with SHA-1 and RC2 of 128 bits", false),
            "1.2.840.113549.1.12.1.6" => new("PKCS#12 with SHA-1 and RC2 of 40 bits", false),
            "1.2.840.113549.1.5.1" => new("PBES1 with MD2 and DES", false),
            "1.2.840.113549.1.5.3" => new("PBES1 with MD5 and DES", false),
            "1.2.840.113549.1.5.4" => new("PBES1 with MD2 and RC2", false),
            "1.2.840.113549.1.5.6" => new("PBES1 with MD5 and RC2", false),
            "1.2.840.113549.1.5.10" => new("PBES1 with SHA-1 and DES", false),
            "1.2.840.113549.1.5.11" => new("PBES1 with SHA-1 and RC2", false),
            _ => new($"scheme {identifier}", false),
        };
}
