namespace ThermalStreaming.S3Forwarder;

/// <summary>Compression of an object.</summary>
enum ObjectCompression
{
    None,
    Gzip,

    /// <summary>Zstandard (RFC 8878); Snowflake's COMPRESSION = AUTO recognises it.</summary>
    Zstd,
}
