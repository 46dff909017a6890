using ThermalStreaming.Readings;

namespace ThermalStreaming.S3Forwarder;

/// <summary>The readings that share an object.</summary>
/// <param name="Kind">Kind of the readings.</param>
/// <param name="Date">Date in the key; null for the partition of other dates, see <see cref="PartitionLimits"/>.</param>
/// <param name="Quarantined">Whether they break a rule and go where nothing loads them.</param>
readonly record struct GroupKey(ReadingKind Kind, DateOnly? Date, bool Quarantined);
