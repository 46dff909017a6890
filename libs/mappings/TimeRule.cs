namespace ThermalStreaming.Mappings;

/// <summary>When a reading was taken.</summary>
/// <param name="Path">Where the payload says it.</param>
/// <param name="Zone">Of a time without a zone; null: such a time does not count, and the arrival does.</param>
sealed record TimeRule(JsonPath Path, TimeZoneInfo? Zone);
