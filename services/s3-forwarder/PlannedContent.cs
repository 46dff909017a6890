using ThermalStreaming.Readings;

namespace ThermalStreaming.S3Forwarder;

/// <summary>The zone and rules that a plan's settings name.</summary>
/// <param name="Zone">The zone whose calendar the dates follow.</param>
/// <param name="Rules">The rules that decide which readings are invalid.</param>
sealed record PlannedContent(TimeZoneInfo Zone, ValidationRules Rules);
