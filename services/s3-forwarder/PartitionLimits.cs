using ThermalStreaming.Hosting;

namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// Which dates get a partition (a folder) of their own. All other readings of a batch share the partition <see cref="OtherDates"/>, which
/// is loaded like the others: one message with hundreds of dates must not become hundreds of objects, and a device whose clock is wrong
/// must not lose readings.
/// </summary>
/// <param name="MaxDates">Most dates with a partition of their own in a batch, the most frequent ones. At least 1.</param>
/// <param name="Oldest">How far back from the batch's own time a date is plausible.</param>
/// <param name="Newest">How far ahead of the batch's own time a date is plausible.</param>
sealed record PartitionLimits(int MaxDates, TimeSpan Oldest, TimeSpan Newest)
{
    /// <summary>Takes the place of the date in the keys of readings whose date has no partition.</summary>
    public const string OtherDates = "other-dates";

    /// <summary>
    /// Dates of a batch that are split into NUM_FILES objects, because the loader gains by it; each further one is a single object.
    /// </summary>
    public const int SplitDates = 2;

    public static PartitionLimits Default { get; } = new(8, TimeSpan.FromDays(365), TimeSpan.FromDays(1));

    public static PartitionLimits Load(Settings settings) => new(
        settings.WholeNumber("PARTITION_MAX_DATES", Default.MaxDates, 1, 366, $"Most dates of a batch that get a folder of their own; readings of further dates share the folder {OtherDates}/."),
        settings.Duration("PARTITION_OLDEST", Default.Oldest, TimeSpan.FromDays(1), TimeSpan.FromDays(36_500), $"Readings older than this go to the folder {OtherDates}/, which is loaded like the others."),
        settings.Duration("PARTITION_NEWEST", Default.Newest, TimeSpan.FromHours(1), TimeSpan.FromDays(36_500), $"Readings further ahead of this machine's clock than this go to the folder {OtherDates}/."));

    /// <summary>First and last date that are plausible in a batch cut at <paramref name="now"/>.</summary>
    public (DateOnly First, DateOnly Last) Window(DateTimeOffset now, TimeZoneInfo zone) => (Classifier.DateOf(now - Oldest, zone), Classifier.DateOf(now + Newest, zone));
}
