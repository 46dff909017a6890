namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>A file in the stage.</summary>
/// <param name="Path">Where it is on this machine.</param>
/// <param name="Length">Bytes.</param>
/// <param name="ETag">Hex MD5, as S3 gives it, without quotation marks.</param>
sealed record StagedFile(string Path, long Length, string ETag);
