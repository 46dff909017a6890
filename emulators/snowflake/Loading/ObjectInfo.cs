namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>What a row says about the object that it was loaded from.</summary>
/// <param name="Key">Its key in the bucket.</param>
/// <param name="ContentKey">Its checksum, as S3 gives it.</param>
/// <param name="LastModified">When it was written.</param>
/// <param name="ScannedAt">When the reading of it began.</param>
sealed record ObjectInfo(string Key, string ContentKey, DateTimeOffset LastModified, DateTimeOffset ScannedAt);
