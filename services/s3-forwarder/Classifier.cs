using ThermalStreaming.Forwarding;
using ThermalStreaming.Readings;

namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// Decides for each reading where it belongs by its own content: its kind, its date in a zone, and whether it breaks a rule. Not
/// thread-safe.
/// </summary>
sealed class Classifier(InvalidReadings validation, TimeZoneInfo zone)
{
    /// <summary>The group of a reading, or null when it is to be dropped; and whether it breaks a rule.</summary>
    public GroupKey? Classify(BatchReading reading, out bool invalid)
    {
        var kind = reading.Payload.Kind;
        invalid = kind == ReadingKind.Inverter && BreaksARule(reading.Payload.Inverter(reading.Index));
        if (invalid && validation == InvalidReadings.Drop)
            return null;
        return new GroupKey(kind, DateOf(reading.Payload.ObservedAt(reading.Index), zone), invalid && validation == InvalidReadings.Quarantine);
    }

    /// <summary>The date of an instant by the calendar of <paramref name="zone"/>.</summary>
    public static DateOnly DateOf(DateTimeOffset instant, TimeZoneInfo zone)
    {
        var isUtc = zone.BaseUtcOffset == TimeSpan.Zero && !zone.SupportsDaylightSavingTime;
        return DateOnly.FromDateTime(isUtc ? instant.UtcDateTime : TimeZoneInfo.ConvertTime(instant, zone).DateTime);
    }

    static bool BreaksARule(InverterReading reading)
    {
        foreach (var rule in InverterRule.All)
        {
            // Broken() words the reason, which only the quarantine needs.
            if (rule.Value(reading) is not { } value || !(value >= rule.Min && value <= rule.Max))
                return true;
        }
        return false;
    }
}
