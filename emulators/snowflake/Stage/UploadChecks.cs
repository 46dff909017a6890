using System.Buffers.Binary;
using System.Security.Cryptography;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Computes an upload's ETag and compares the checksums sent with it.</summary>
sealed class UploadChecks : IDisposable
{
    const string Prefix = "x-amz-checksum-";

    // S3's ETag is an MD5; here it identifies content and protects nothing.
#pragma warning disable CA5351
    readonly IncrementalHash md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
#pragma warning restore CA5351
    readonly IncrementalHash sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    readonly string? algorithm;
    uint crc;
    byte[]? etag;

    /// <param name="request">The request, whose headers name the checksum.</param>
    /// <exception cref="S3Exception">The stage does not support this checksum.</exception>
    public UploadChecks(HttpRequest request)
    {
        var name =
            request.Headers.Keys.FirstOrDefault(IsValue)?.ToLowerInvariant()
            ?? request.Headers["x-amz-trailer"].ToString().Trim().ToLowerInvariant();
        algorithm = name.Length == 0 ? null : name;
        if (algorithm is not (null or Prefix + "crc32" or Prefix + "crc32c" or Prefix + "sha256"))
        {
            throw new S3Exception(
                400,
                "InvalidRequest",
                $"This stage does not know {algorithm}. It knows x-amz-checksum-crc32, -crc32c and -sha256."
            );
        }
    }

    // x-amz-checksum-algorithm and x-amz-checksum-type are only descriptions.
    static bool IsValue(string header) =>
        header.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)
        && !header.EndsWith("-algorithm", StringComparison.OrdinalIgnoreCase)
        && !header.EndsWith("-type", StringComparison.OrdinalIgnoreCase);

    /// <summary>MD5 of the content, valid after <see cref="Finish"/>.</summary>
    public byte[] ETag => etag!;

    /// <summary>Adds the next part of the content.</summary>
    public void Add(ReadOnlySpan<byte> data)
    {
        md5.AppendData(data);
        sha256.AppendData(data);
        if (algorithm == Prefix + "crc32")
            crc = Crc32.Of(data, crc);
        else if (algorithm == Prefix + "crc32c")
            crc = Crc32C.Of(data, crc);
    }

    /// <summary>Compares the computed checksums with the client's.</summary>
    /// <param name="call">The call; its answer gets the checksum as a header.</param>
    /// <param name="trailer">Headers after the body.</param>
    /// <exception cref="S3Exception">They differ, or an announced checksum is missing.</exception>
    public void Finish(HttpContext call, IReadOnlyDictionary<string, string> trailer)
    {
        var request = call.Request;
        etag = md5.GetHashAndReset();
        var hash = sha256.GetHashAndReset();
        if (request.Headers.ContentMD5.ToString() is { Length: > 0 } sent && sent != Convert.ToBase64String(etag))
            throw new S3Exception(400, "BadDigest", "The Content-MD5 you specified did not match what we received.");
        var payload = request.Headers["x-amz-content-sha256"].ToString();
        if (payload.Length == 64 && !payload.Equals(Convert.ToHexString(hash), StringComparison.OrdinalIgnoreCase))
        {
            throw new S3Exception(
                400,
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed."
            );
        }
        if (algorithm is null)
            return;
        var bytes = hash;
        if (algorithm != Prefix + "sha256")
            BinaryPrimitives.WriteUInt32BigEndian(bytes = new byte[sizeof(uint)], crc);
        var computed = Convert.ToBase64String(bytes);
        var given = request.Headers[algorithm].ToString();
        if (given.Length == 0)
            given = trailer.GetValueOrDefault(algorithm, "");
        if (given.Length == 0)
            throw new S3Exception(400, "MalformedTrailerError", $"x-amz-trailer announced {algorithm}, but the trailer lacks it.");
        if (given != computed)
            throw new S3Exception(400, "BadDigest", $"The {algorithm} you specified did not match the calculated checksum.");
        call.Response.Headers[algorithm] = computed;
    }

    public void Dispose()
    {
        md5.Dispose();
        sha256.Dispose();
    }
}
