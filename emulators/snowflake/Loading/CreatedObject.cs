namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>An object that a bucket announces.</summary>
/// <param name="Bucket">The bucket.</param>
/// <param name="Key">The key, decoded.</param>
readonly record struct CreatedObject(string Bucket, string Key);
