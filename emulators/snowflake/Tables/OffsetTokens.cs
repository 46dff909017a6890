namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Offset tokens of one append; null where none was sent.</summary>
readonly record struct OffsetTokens(string? Start, string? End);
