namespace ThermalStreaming.Mappings;

/// <summary>When a reading was taken.</summary>
/// <param name="Path">Path of the time in the payload.</param>
/// <param name="Zone">Zone for a time without one; null: such a time is ignored, and the arrival counts.</param>
sealed record TimeRule(JsonPath Path, TimeZoneInfo? Zone);
