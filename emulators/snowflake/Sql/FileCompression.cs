namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>How the files of a stage are compressed.</summary>
enum FileCompression
{
    /// <summary>Detected per file, by its name (.gz, .zst) or its first bytes.</summary>
    Auto,
    None,
    Gzip,
    Zstd,
}
