namespace ThermalStreaming.S3Forwarder;

/// <summary>Checksums of an object's bytes.</summary>
/// <param name="Md5">16 bytes: the ETag of an object that is not encrypted with a KMS key.</param>
/// <param name="Crc32C">CRC-32C, as a number.</param>
/// <param name="Sha256">32 bytes; null if not requested.</param>
sealed record ContentDigest(byte[] Md5, uint Crc32C, byte[]? Sha256)
{
    /// <summary>As in an ETag.</summary>
    public string Md5Hex => Convert.ToHexStringLower(Md5);

    /// <summary>As in <c>Content-MD5</c>.</summary>
    public string Md5Base64 => Convert.ToBase64String(Md5);

    /// <summary>As in <c>x-amz-checksum-crc32c</c>: big-endian, base64.</summary>
    public string Crc32CBase64
    {
        get
        {
            Span<byte> bytes = stackalloc byte[4];
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(bytes, Crc32C);
            return Convert.ToBase64String(bytes);
        }
    }

    /// <summary>As in <c>x-amz-checksum-sha256</c>; null if not requested.</summary>
    public string? Sha256Base64 => Sha256 is null ? null : Convert.ToBase64String(Sha256);
}
