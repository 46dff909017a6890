using ThermalStreaming.Forwarding;
using ThermalStreaming.Readings;

namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// Decides where each reading belongs by its own content: its kind, its folder (date and hour in a zone, device), and whether it breaks a
/// rule. Not thread-safe.
/// </summary>
sealed class Classifier(InvalidReadings validation, TimeZoneInfo zone, PartitionTemplate template, RuleChecker checker)
{
    /// <summary>The group of a reading, or null if it is to be dropped; and whether it breaks a rule.</summary>
    public GroupKey? Classify(BatchReading reading, out bool invalid)
    {
        var kind = reading.Payload.Kind;
        invalid = checker.Rejects(reading.Payload, reading.Index);
        if (invalid && validation == InvalidReadings.Drop)
            return null;
        var local = LocalTime(reading.Payload.ObservedAt(reading.Index), zone);
        return new GroupKey(
            kind,
            DateOnly.FromDateTime(local),
            invalid && validation == InvalidReadings.Quarantine,
            template.HasHour ? local.Hour : null,
            template.HasDevice ? reading.Payload.Identity(reading.Index).DeviceId : null
        );
    }

    /// <summary>The date of an instant in the calendar of <paramref name="zone"/>.</summary>
    public static DateOnly DateOf(DateTimeOffset instant, TimeZoneInfo zone) => DateOnly.FromDateTime(LocalTime(instant, zone));

    static DateTime LocalTime(DateTimeOffset instant, TimeZoneInfo zone)
    {
        var isUtc = zone.BaseUtcOffset == TimeSpan.Zero && !zone.SupportsDaylightSavingTime;
        return isUtc ? instant.UtcDateTime : TimeZoneInfo.ConvertTime(instant, zone).DateTime;
    }
}
