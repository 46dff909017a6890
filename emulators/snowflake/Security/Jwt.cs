using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>A parsed JSON Web Token. Nothing in it is verified yet.</summary>
sealed class Jwt
{
    readonly JsonElement claims;

    Jwt(string algorithm, JsonElement claims, byte[] signed, byte[] signature)
    {
        Algorithm = algorithm;
        this.claims = claims;
        Signed = signed;
        Signature = signature;
    }

    /// <summary>The header's <c>alg</c>; <c>none</c> if it is absent.</summary>
    public string Algorithm { get; }

    /// <summary>The signed bytes.</summary>
    public byte[] Signed { get; }

    public byte[] Signature { get; }

    /// <summary>Parses a token; null if it is not a JWT.</summary>
    public static Jwt? TryParse(string token)
    {
        var parts = token.Split('.');
        if (parts.Length != 3)
            return null;
        try
        {
            using var header = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[0]));
            using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[1]));
            if (header.RootElement.ValueKind != JsonValueKind.Object || claims.RootElement.ValueKind != JsonValueKind.Object)
                return null;
            var algorithm =
                header.RootElement.TryGetProperty("alg", out var alg) && alg.ValueKind == JsonValueKind.String ? alg.GetString()! : "none";
            return new Jwt(
                algorithm,
                claims.RootElement.Clone(),
                Encoding.ASCII.GetBytes(token[..token.LastIndexOf('.')]),
                Base64Url.DecodeFromChars(parts[2])
            );
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            return null;
        }
    }

    /// <summary>A text claim; null if it is absent or not a text.</summary>
    public string? Text(string claim) =>
        claims.TryGetProperty(claim, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>A time claim, in seconds since 1970 or, if it is that large, milliseconds; null if it is not a number.</summary>
    public DateTimeOffset? Time(string claim)
    {
        if (!claims.TryGetProperty(claim, out var value) || value.ValueKind != JsonValueKind.Number)
            return null;
        var number = value.GetDouble();
        var ms = Math.Abs(number) > 100_000_000_000 ? number : number * 1000;
        return DateTimeOffset.FromUnixTimeMilliseconds((long)Math.Clamp(ms, -62_135_596_800_000d, 253_402_300_799_999d));
    }
}
