namespace ThermalStreaming.Journal;

/// <summary>Where a journal lives and how much of the disk it may use.</summary>
public sealed record JournalOptions
{
    /// <summary>Directory of this journal alone; made if absent. One process at a time may open it.</summary>
    public string Directory { get; set; } = "";

    /// <summary>
    /// Size at which a segment file is closed and the next one begun, in bytes. Space comes back by whole segments. Default 16 MiB;
    /// never more than an eighth of <see cref="MaxBytes"/>.
    /// </summary>
    public long SegmentBytes { get; set; } = 16 * 1024 * 1024;

    /// <summary>
    /// How long the first append of a group waits for others to share its fsync. Default zero: groups form while the previous fsync runs.
    /// A few milliseconds cut the bytes written to an SD card, because every fsync rewrites the last page of the file.
    /// </summary>
    public TimeSpan Linger { get; set; } = TimeSpan.Zero;

    /// <summary>Bytes that all segments together may take. At the limit appends wait; nothing is dropped. Default 1 GiB.</summary>
    public long MaxBytes { get; set; } = 1024 * 1024 * 1024;

    /// <summary>
    /// Free space of the file system that the journal leaves to others, in bytes, but never more than a tenth of that file system. Below it
    /// appends wait. Default 256 MiB.
    /// </summary>
    public long FreeSpaceReserveBytes { get; set; } = 256 * 1024 * 1024;

    /// <summary>
    /// Asked before delivered segments are deleted, with a lock of the journal held. For an index of the journal, which must be durable
    /// before the records that could rebuild it are deleted. It may only read properties of the journal. If it returns false or throws an
    /// IOException, nothing is deleted until the next attempt. Opening the journal may call it.
    /// </summary>
    public Func<bool>? BeforeReclaim { get; set; }

    /// <summary>
    /// Whether opening the journal skips bytes that the device cannot read (EIO), instead of throwing. For a caller that has waited long
    /// enough for them; see <see cref="UnreadableSince"/>.
    /// </summary>
    public bool SkipUnreadable { get; set; }

    /// <summary>
    /// Longest time for which the cursor on disk may lag behind <see cref="DurableJournal.Commit"/>. Default one minute. After a kill the
    /// sink says what it has, so a lag costs only that question; each write costs a page of the storage.
    /// </summary>
    public TimeSpan CursorInterval { get; set; } = TimeSpan.FromMinutes(1);
}
