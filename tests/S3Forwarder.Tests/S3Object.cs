namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>An object in a bucket of <see cref="FakeS3"/>.</summary>
sealed record S3Object(byte[] Bytes, string ContentType, IReadOnlyDictionary<string, string> Metadata, int Writes)
{
    /// <summary>What S3 gives to an object that is not encrypted with a KMS key, unless a test sets another.</summary>
    public string ETag { get; init; } = $"\"{Md5.Hex(Bytes)}\"";

    /// <summary><c>x-amz-server-side-encryption</c> of the answers, or null.</summary>
    public string? Encryption { get; init; }
}
