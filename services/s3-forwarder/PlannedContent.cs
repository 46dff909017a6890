using ThermalStreaming.Readings;

namespace ThermalStreaming.S3Forwarder;

/// <summary>What the settings of a plan name, found again.</summary>
/// <param name="Zone">The zone whose calendar the dates follow.</param>
/// <param name="Rules">The rules that say which readings are invalid.</param>
sealed record PlannedContent(TimeZoneInfo Zone, ValidationRules Rules);
