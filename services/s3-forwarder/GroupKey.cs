using ThermalStreaming.Readings;

namespace ThermalStreaming.S3Forwarder;

/// <summary>The readings that share an object.</summary>
/// <param name="Kind">Kind of the readings.</param>
/// <param name="Date">Date in the key; null for the partition of other dates (<see cref="PartitionLimits"/>).</param>
/// <param name="Quarantined">Whether they break a rule and go to a place that nothing loads.</param>
/// <param name="Hour">Hour in the key, 0 to 23; null if the template has none, and for hours that share a folder.</param>
/// <param name="Device">Device in the key; null if the template has none, and for devices that share a folder.</param>
readonly record struct GroupKey(ReadingKind Kind, DateOnly? Date, bool Quarantined, int? Hour = null, string? Device = null)
{
    /// <summary>The group of the same date for the hours and devices without a folder of their own.</summary>
    public GroupKey OfDate => this with { Hour = null, Device = null };

    /// <summary>The group for the dates without a folder of their own.</summary>
    public GroupKey OfOtherDates => OfDate with { Date = null };
}
