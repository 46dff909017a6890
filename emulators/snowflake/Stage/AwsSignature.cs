using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The AWS Signature Version 4 of a request, and those of its chunks.</summary>
sealed class AwsSignature
{
    const string Algorithm = "AWS4-HMAC-SHA256";
    const string EmptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    static readonly TimeSpan AllowedSkew = TimeSpan.FromMinutes(15);

    readonly byte[] key;
    readonly string time;
    readonly string scope;
    string previous;

    AwsSignature(byte[] key, string time, string scope, string signature)
    {
        this.key = key;
        this.time = time;
        this.scope = scope;
        previous = signature;
    }

    /// <summary>Verifies the signature of a request's head.</summary>
    /// <param name="request">The request.</param>
    /// <param name="credentials">The credentials in its session token.</param>
    /// <param name="now">This server's time.</param>
    /// <exception cref="S3Exception">The signature is missing, malformed, too old or wrong.</exception>
    public static AwsSignature Verify(HttpRequest request, StageCredentials credentials, DateTimeOffset now)
    {
        var fields = Fields(request.Headers.Authorization.ToString());
        if (
            fields.GetValueOrDefault("Credential")?.Split('/') is not [var keyId, var date, var region, "s3", "aws4_request"]
            || fields.GetValueOrDefault("SignedHeaders") is not { } signedHeaders
            || fields.GetValueOrDefault("Signature") is not { } signature
        )
        {
            throw new S3Exception(
                400,
                "AuthorizationHeaderMalformed",
                "The authorization header must be AWS4-HMAC-SHA256 with "
                    + "Credential=KEY/DATE/REGION/s3/aws4_request, SignedHeaders and Signature."
            );
        }
        if (keyId != credentials.KeyId)
            throw new S3Exception(403, "InvalidAccessKeyId", "The access key id does not belong to the session token.");
        var time = request.Headers["x-amz-date"].ToString();
        var isTime = DateTimeOffset.TryParseExact(
            time,
            "yyyyMMdd'T'HHmmss'Z'",
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal,
            out var signed
        );
        if (!isTime || !time.StartsWith(date, StringComparison.Ordinal))
            throw new S3Exception(403, "AccessDenied", "x-amz-date is missing, or is not of the day in Credential.");
        if ((now - signed).Duration() > AllowedSkew)
        {
            throw new S3Exception(
                403,
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large."
            );
        }

        var scope = $"{date}/{region}/s3/aws4_request";
        var key = Encoding.UTF8.GetBytes("AWS4" + credentials.SecretKey);
        foreach (var part in scope.Split('/'))
            key = Hmac(key, part);
        var names = signedHeaders.Split(';');
        if (!names.Contains("host") || request.Headers.Keys.Any(h => IsAmz(h) && !names.Contains(h.ToLowerInvariant())))
            throw new S3Exception(403, "AccessDenied", "There were headers present in the request which were not signed.");
        var expected = Sign(key, $"{Algorithm}\n{time}\n{scope}\n{HexHash(CanonicalRequest(request, names))}");
        if (!SameText(expected, signature))
        {
            throw new S3Exception(
                403,
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided."
            );
        }
        return new AwsSignature(key, time, scope, expected);
    }

    /// <summary>Verifies the signature of the next chunk.</summary>
    /// <param name="signature">From the chunk's head.</param>
    /// <param name="hash">Hex SHA-256 of the chunk.</param>
    /// <exception cref="S3Exception">It is wrong.</exception>
    public void VerifyChunk(string signature, string hash) =>
        VerifyNext(signature, $"{Algorithm}-PAYLOAD\n{time}\n{scope}\n{previous}\n{EmptyHash}\n{hash}");

    /// <summary>Verifies the signature of the trailer.</summary>
    /// <param name="signature">From x-amz-trailer-signature.</param>
    /// <param name="trailer">The trailer's other lines, each <c>name:value</c> with a line feed.</param>
    /// <exception cref="S3Exception">It is wrong.</exception>
    public void VerifyTrailer(string signature, string trailer) =>
        VerifyNext(signature, $"{Algorithm}-TRAILER\n{time}\n{scope}\n{previous}\n{HexHash(trailer)}");

    void VerifyNext(string signature, string text)
    {
        previous = Sign(key, text);
        if (!SameText(previous, signature))
            throw new S3Exception(403, "SignatureDoesNotMatch", "A chunk's signature does not match what it holds.");
    }

    static bool IsAmz(string header) => header.StartsWith("x-amz-", StringComparison.OrdinalIgnoreCase);

    static Dictionary<string, string> Fields(string authorization)
    {
        Dictionary<string, string> fields = [];
        if (!authorization.StartsWith(Algorithm + " ", StringComparison.Ordinal))
            return fields;
        foreach (var field in authorization[Algorithm.Length..].Split(',', StringSplitOptions.TrimEntries))
        {
            var mark = field.IndexOf('=', StringComparison.Ordinal);
            if (mark > 0)
                fields[field[..mark]] = field[(mark + 1)..];
        }
        return fields;
    }

    /// <summary>The request in the canonical form that both sides sign. S3 encodes the path once, so it stays as sent.</summary>
    static string CanonicalRequest(HttpRequest request, string[] names)
    {
        var target = request.HttpContext.Features.Get<IHttpRequestFeature>()!.RawTarget;
        var mark = target.IndexOf('?', StringComparison.Ordinal);
        var path = mark < 0 ? target : target[..mark];
        var query = (mark < 0 ? "" : target[(mark + 1)..])
            .Split('&', StringSplitOptions.RemoveEmptyEntries)
            .Select(p => p.Contains('=', StringComparison.Ordinal) ? p : p + "=")
            .Order(StringComparer.Ordinal);
        var text = new StringBuilder();
        text.Append(request.Method).Append('\n').Append(path).Append('\n').AppendJoin('&', query).Append('\n');
        foreach (var name in names)
            text.Append(name).Append(':').AppendJoin(',', Values(request.Headers[name])).Append('\n');
        return text.Append('\n').AppendJoin(';', names).Append('\n').Append(request.Headers["x-amz-content-sha256"].ToString()).ToString();
    }

    static IEnumerable<string> Values(StringValues values) =>
        values.Select(v => string.Join(' ', (v ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries)));

    static byte[] Hmac(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));

    static string Sign(byte[] key, string text) => Convert.ToHexStringLower(Hmac(key, text));

    static string HexHash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    static bool SameText(string expected, string given) =>
        CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(expected), Encoding.UTF8.GetBytes(given));
}
