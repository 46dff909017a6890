namespace ThermalStreaming.Journal;

/// <summary>
/// Says whether bytes fit into a journal: within its own size limit, and within the free space that it may use. Changes nothing on disk;
/// the caller decides what to delete. Thread-safe.
/// </summary>
sealed class Capacity
{
    /// <summary>Free space is measured again after this many bytes have been written, or after <see cref="MeasureInterval"/>.</summary>
    const long MeasureAfterBytes = 4 * 1024 * 1024;

    static readonly TimeSpan MeasureInterval = TimeSpan.FromSeconds(1);

    readonly JournalEnvironment environment;
    readonly long maxBytes;
    readonly long reserveBytes;
    readonly Lock gate = new();
    long freeBytes;
    long measuredAt;
    long writtenWhenMeasured;

    /// <param name="environment">The journal.</param>
    /// <param name="options">Its limits.</param>
    public Capacity(JournalEnvironment environment, JournalOptions options)
    {
        this.environment = environment;
        maxBytes = options.MaxBytes;
        reserveBytes = environment.Disk.ReserveOf(environment.Directory, options.FreeSpaceReserveBytes);
    }

    /// <summary>Why the size limit does not let a segment file grow by this many bytes; null if it does.</summary>
    /// <param name="bytes">Bytes to add, without a segment header.</param>
    /// <param name="used">Bytes that the segment files take now.</param>
    /// <param name="committed">First offset that is not committed.</param>
    public string? SizeProblem(long bytes, long used, long committed) =>
        RoomBehind(bytes, used) >= 0
            ? null
            : $"{used} of at most {maxBytes} bytes are used and {committed} is the first offset not delivered; restore delivery, "
                + "or raise JOURNAL_MAX_BYTES";

    /// <summary>Why the free space of the file system does not allow this many more bytes; null if it does.</summary>
    /// <param name="bytes">Bytes to add.</param>
    /// <param name="measureNow">Whether to ask the file system instead of relying on its answer within the last second.</param>
    /// <exception cref="IOException">The file system does not answer.</exception>
    public string? SpaceProblem(long bytes, bool measureNow)
    {
        if (reserveBytes == 0)
            return null;
        var free = FreeBytes(measureNow);
        return free - bytes >= reserveBytes
            ? null
            : $"{free} bytes are free on the file system of {environment.Directory} and {reserveBytes} stay in reserve; "
                + "free some space there, or lower JOURNAL_FREE_RESERVE";
    }

    /// <summary>
    /// By how many bytes the segment files may still grow behind an append, within the size limit; negative if there is no room.
    /// </summary>
    /// <param name="bytes">Bytes of the append, without a segment header.</param>
    /// <param name="used">Bytes that the segment files take now.</param>
    public long RoomBehind(long bytes, long used) => maxBytes - used - bytes - SegmentHeader.Bytes;

    /// <summary>The words in which the operator is told of a disk error.</summary>
    public static string RefusalOf(Exception problem) => $"the disk refuses to store: {problem.Message}";

    long FreeBytes(bool measureNow)
    {
        lock (gate)
        {
            if (
                measureNow
                || measuredAt == 0
                || environment.Disk.BytesWritten - writtenWhenMeasured > MeasureAfterBytes
                || environment.Clock.GetElapsedTime(measuredAt) > MeasureInterval
            )
            {
                freeBytes = environment.Disk.FreeBytes(environment.Directory);
                measuredAt = environment.Clock.GetTimestamp();
                writtenWhenMeasured = environment.Disk.BytesWritten;
            }

            return freeBytes;
        }
    }
}
