namespace ThermalStreaming.Readings;

/// <summary>A point in time as a sender spelled it.</summary>
/// <param name="Microseconds">Since 1970-01-01T00:00:00Z.</param>
/// <param name="IsUtc">False when it was spelled with the offset of another zone.</param>
readonly record struct ParsedTime(long Microseconds, bool IsUtc);
