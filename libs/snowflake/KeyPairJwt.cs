using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace ThermalStreaming.Snowflake;

/// <summary>The JSON Web Token that proves that a user has the private key (Snowflake: "Key-pair authentication").</summary>
/// <param name="Issuer">ACCOUNT.USER.SHA256:fingerprint.</param>
/// <param name="Subject">ACCOUNT.USER.</param>
/// <param name="IssuedAt">By the server's clock.</param>
/// <param name="ExpiresAt">By the server's clock.</param>
/// <param name="Text">The token itself: a secret.</param>
sealed record KeyPairJwt(string Issuer, string Subject, DateTimeOffset IssuedAt, DateTimeOffset ExpiresAt, string Text)
{
    /// <summary>Snowflake refuses a token one hour after it was issued, whatever its own expiry says.</summary>
    static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(59);

    /// <summary>The server's clock is known from a Date header in whole seconds: a token must not seem to come from the future.</summary>
    static readonly TimeSpan Backdate = TimeSpan.FromSeconds(3);

    static readonly string Header = Base64Url.EncodeToString("""{"alg":"RS256","typ":"JWT"}"""u8);

    /// <param name="key">Signs the token.</param>
    /// <param name="account"><see cref="AccountIdentifier.Claim"/>.</param>
    /// <param name="user">The user's LOGIN_NAME.</param>
    /// <param name="serverNow">The time by the server's clock.</param>
    /// <param name="role">Role to use; "" for the user's default role.</param>
    public static KeyPairJwt Create(KeyPair key, string account, string user, DateTimeOffset serverNow, string role = "")
    {
        var subject = $"{account}.{user.ToUpperInvariant()}";
        var issuer = $"{subject}.{key.Fingerprint}";
        var issuedAt = DateTimeOffset.FromUnixTimeSeconds((serverNow - Backdate).ToUnixTimeSeconds());
        var expiresAt = issuedAt + Lifetime;
        var claims = new System.Buffers.ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(claims))
        {
            json.WriteStartObject();
            json.WriteString("iss"u8, issuer);
            json.WriteString("sub"u8, subject);
            if (role.Length > 0)
                json.WriteString("scp"u8, $"session:role:{role}");
            json.WriteNumber("iat"u8, issuedAt.ToUnixTimeSeconds());
            json.WriteNumber("exp"u8, expiresAt.ToUnixTimeSeconds());
            json.WriteEndObject();
        }
        var signed = $"{Header}.{Base64Url.EncodeToString(claims.WrittenSpan)}";
        return new(issuer, subject, issuedAt, expiresAt, $"{signed}.{Base64Url.EncodeToString(key.Sign(Encoding.ASCII.GetBytes(signed)))}");
    }

    /// <summary>The <c>exp</c> claim of any JWT, in seconds or milliseconds; null if the text is not a JWT or has no such claim.</summary>
    public static DateTimeOffset? ReadExpiry(string token)
    {
        if (token.Split('.') is not [_, var claims, _])
            return null;
        try
        {
            using var document = JsonDocument.Parse(Base64Url.DecodeFromChars(claims));
            if (
                document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("exp"u8, out var exp)
                || exp.ValueKind != JsonValueKind.Number
            )
                return null;
            return exp.GetDouble() switch
            {
                > 0 and < 1e11 and var seconds => DateTimeOffset.UnixEpoch.AddSeconds(seconds),
                >= 1e11 and < 2e14 and var milliseconds => DateTimeOffset.UnixEpoch.AddMilliseconds(milliseconds),
                _ => null,
            };
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            return null;
        }
    }
}
