namespace ThermalStreaming.S3Forwarder;

/// <summary>The checksum that a PUT carries, which the store compares with the bytes it received.</summary>
enum UploadChecksum
{
    /// <summary><c>x-amz-checksum-crc32c</c>. Amazon S3, MinIO, Garage, R2 and LocalStack know it; others ignore it.</summary>
    Crc32C,

    /// <summary><c>x-amz-checksum-sha256</c>.</summary>
    Sha256,

    /// <summary><c>Content-MD5</c>, which every S3 server has known since 2006.</summary>
    Md5,

    /// <summary>None, for a server that refuses them all. The signature still covers the SHA-256 of the body.</summary>
    None,
}
