using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// Temporary credentials for one folder of the stage. The session token contains all their data and is signed, so that nothing has to be
/// stored.
/// </summary>
/// <param name="Folder">Required start of every key; ends with a slash.</param>
/// <param name="Expires">When they expire.</param>
/// <param name="SessionToken">A request's token in x-amz-security-token.</param>
/// <param name="KeyId">Access key id.</param>
/// <param name="SecretKey">Secret access key.</param>
sealed record StageCredentials(string Folder, DateTimeOffset Expires, string SessionToken, string KeyId, string SecretKey)
{
    /// <summary>Makes credentials for a folder.</summary>
    public static StageCredentials Issue(ServerSecret secret, string folder, DateTimeOffset expires)
    {
        var claims = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{expires.ToUnixTimeMilliseconds()} {folder}"));
        return Of(secret, folder, expires, $"{Base64Url.EncodeToString(claims)}.{Base64Url.EncodeToString(Signature(secret, claims))}");
    }

    /// <summary>Reads a session token that <see cref="Issue"/> made; null for any other token. Does not check the expiry.</summary>
    public static StageCredentials? Read(ServerSecret secret, string sessionToken)
    {
        try
        {
            if (sessionToken.Split('.') is not [var first, var second])
                return null;
            var claims = Base64Url.DecodeFromChars(first);
            if (!CryptographicOperations.FixedTimeEquals(Signature(secret, claims), Base64Url.DecodeFromChars(second)))
                return null;
            var text = Encoding.UTF8.GetString(claims);
            var mark = text.IndexOf(' ', StringComparison.Ordinal);
            var expires = DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(text.AsSpan(0, mark), CultureInfo.InvariantCulture));
            return Of(secret, text[(mark + 1)..], expires, sessionToken);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    static byte[] Signature(ServerSecret secret, byte[] claims) => secret.Derive("stage-token", Convert.ToHexString(claims));

    static StageCredentials Of(ServerSecret secret, string folder, DateTimeOffset expires, string token) =>
        new(
            folder,
            expires,
            token,
            "ASIA" + Convert.ToHexString(secret.Derive("stage-key-id", token))[..16],
            Convert.ToBase64String(secret.Derive("stage-key", token))
        );
}
