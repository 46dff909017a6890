namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>How JSON files are read.</summary>
/// <param name="Compression">How they are compressed.</param>
/// <param name="StripOuterArray">Whether the elements of an outer array are rows; otherwise the array is one row.</param>
sealed record FileFormat(FileCompression Compression = FileCompression.Auto, bool StripOuterArray = false);
