using ThermalStreaming.Hosting;

namespace ThermalStreaming.Journal;

/// <summary>The settings of a journal: JOURNAL_MAX_BYTES, JOURNAL_FREE_RESERVE, JOURNAL_LINGER and JOURNAL_SEGMENT_BYTES.</summary>
public static class JournalSettings
{
    /// <summary>Reads and checks them; problems go to <see cref="Settings.Problem"/>. The directory is for the caller to fill in.</summary>
    public static JournalOptions Load(Settings settings) =>
        new()
        {
            MaxBytes = settings.Bytes(
                "JOURNAL_MAX_BYTES",
                1L << 30,
                64 * 1024,
                1L << 44,
                "Bytes a journal may take; when it is full, nothing is dropped, intake waits."
            ),
            FreeSpaceReserveBytes = settings.Bytes(
                "JOURNAL_FREE_RESERVE",
                256L << 20,
                0,
                1L << 44,
                "Free disk space that a journal never uses; at most a tenth of the file system."
            ),
            Linger = settings.Duration(
                "JOURNAL_LINGER",
                TimeSpan.Zero,
                TimeSpan.Zero,
                TimeSpan.FromSeconds(1),
                "How long an append waits for others to share its fsync; a few ms spare an SD card."
            ),
            SegmentBytes = settings.Bytes("JOURNAL_SEGMENT_BYTES", 16L << 20, 4 * 1024, 1L << 30, "Size of one file of a journal."),
        };
}
