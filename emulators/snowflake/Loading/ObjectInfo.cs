namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Metadata of the object that a row was loaded from.</summary>
/// <param name="Key">Its key in the bucket.</param>
/// <param name="ContentKey">Its checksum from S3.</param>
/// <param name="LastModified">When it was written.</param>
/// <param name="ScannedAt">When reading it began.</param>
sealed record ObjectInfo(string Key, string ContentKey, DateTimeOffset LastModified, DateTimeOffset ScannedAt);
