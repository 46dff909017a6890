namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>How a body of rows is compressed, on the wire and in the store. The store contains these numbers.</summary>
enum RowEncoding : byte
{
    Identity = 0,
    Gzip = 1,
    Zstd = 2,
}
