using ThermalStreaming.Hosting;

namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// Which dates get their own partition (a folder). All other readings of a batch share the partition <see cref="OtherDates"/>, which is
/// loaded like the others: one message with hundreds of dates must not become hundreds of objects, and a device with a wrong clock must not
/// lose readings.
/// </summary>
/// <param name="MaxDates">Most dates of a batch with their own partition; the most frequent ones get it. At least 1.</param>
/// <param name="Oldest">How far back from the batch's own time a date is plausible.</param>
/// <param name="Newest">How far ahead of the batch's own time a date is plausible.</param>
/// <param name="MaxFolders">Most folders of a batch, if the template has hours or devices. At least 1.</param>
/// <param name="MinLateReadings">
/// Readings of a date before yesterday that a batch must have for that date to get a folder. Otherwise a device that sends its stored
/// readings bit by bit would make each batch have a tiny object for each of its days. 1: any number.
/// </param>
/// <param name="LateAge">Minimum wait of a batch while such dates arrive, so that more of their readings share an object.</param>
sealed record PartitionLimits(
    int MaxDates,
    TimeSpan Oldest,
    TimeSpan Newest,
    int MaxFolders = PartitionLimits.DefaultMaxFolders,
    int MinLateReadings = 1,
    TimeSpan LateAge = default
)
{
    /// <summary>Replaces the date in the keys of readings whose date has no partition.</summary>
    public const string OtherDates = "other-dates";

    /// <summary>
    /// Dates of a batch that are split into NUM_FILES objects, which speeds up the loader; each further date is a single object.
    /// </summary>
    public const int SplitDates = 2;

    const int DefaultMaxFolders = 64;

    public static PartitionLimits Default { get; } = new(8, TimeSpan.FromDays(365), TimeSpan.FromDays(1));

    public static PartitionLimits Load(Settings settings) =>
        new(
            settings.WholeNumber(
                "PARTITION_MAX_DATES",
                Default.MaxDates,
                1,
                366,
                $"Most dates of a batch that get a folder of their own; readings of further dates share the folder {OtherDates}/."
            ),
            settings.Duration(
                "PARTITION_OLDEST",
                Default.Oldest,
                TimeSpan.FromDays(1),
                TimeSpan.FromDays(36_500),
                $"Readings older than this go to the folder {OtherDates}/, which is loaded like the others."
            ),
            settings.Duration(
                "PARTITION_NEWEST",
                Default.Newest,
                TimeSpan.FromHours(1),
                TimeSpan.FromDays(36_500),
                $"Readings further ahead of this machine's clock than this go to the folder {OtherDates}/."
            ),
            settings.WholeNumber(
                "PARTITION_MAX_FOLDERS",
                DefaultMaxFolders,
                1,
                1000,
                "Most folders of a batch, where PARTITION_TEMPLATE has {hour} or {device}; further readings of a date share one."
            ),
            settings.WholeNumber(
                "PARTITION_MIN_LATE_READINGS",
                Default.MinLateReadings,
                1,
                1_000_000,
                $"Readings of a day before yesterday that a batch must have for a folder of their own; fewer go to {OtherDates}/."
            ),
            settings.Duration(
                "PARTITION_LATE_AGE",
                Default.LateAge,
                TimeSpan.Zero,
                TimeSpan.FromHours(1),
                "How long a batch waits for more readings after one that had readings of a day before yesterday, if longer than "
                    + "S3_BATCH_LINGER."
            )
        );

    /// <summary>First and last plausible date in a batch cut at <paramref name="now"/>.</summary>
    public (DateOnly First, DateOnly Last) Window(DateTimeOffset now, TimeZoneInfo zone) =>
        (Classifier.DateOf(now - Oldest, zone), Classifier.DateOf(now + Newest, zone));
}
