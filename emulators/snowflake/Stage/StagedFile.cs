namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>A file in the stage.</summary>
/// <param name="Path">Its path on this machine.</param>
/// <param name="Length">Bytes.</param>
/// <param name="ETag">Hex MD5 in S3's form, without quotation marks.</param>
sealed record StagedFile(string Path, long Length, string ETag);
