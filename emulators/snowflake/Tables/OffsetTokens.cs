namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Offset tokens of one append; null if not sent.</summary>
readonly record struct OffsetTokens(string? Start, string? End);
