using System.Security.Cryptography;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>One registered public key.</summary>
/// <param name="Rsa">The key.</param>
/// <param name="Fingerprint"><c>SHA256:</c> and the Base64 of the SHA-256 of its DER SubjectPublicKeyInfo.</param>
sealed record PublicKey(RSA Rsa, string Fingerprint);
