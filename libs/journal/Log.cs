using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Journal;

static partial class Log
{
    [LoggerMessage(
        EventId = 200,
        Level = LogLevel.Warning,
        Message = "Journal {Directory}: {Segment} has, from byte {Position} on, {Bytes} bytes of an append that was interrupted; they are "
            + "ignored. After a crash or a power cut this is normal, and nothing acknowledged was in them. Otherwise check the storage "
            + "(dmesg, SD card). Numbering continues at offset {Next}"
    )]
    public static partial void TornTail(this ILogger logger, string directory, string segment, long bytes, long position, long next);

    [LoggerMessage(
        EventId = 202,
        Level = LogLevel.Error,
        Message = "Journal {Directory}: {Segment} is damaged from byte {Position} to byte {End}, offsets {Offset} to before {EndOffset}: "
            + "{Readings} "
            + "acknowledged readings are lost unless they had been delivered. The readings behind them are delivered. "
            + "The damaged bytes are in {Kept}. Check the storage (dmesg, SD card)"
    )]
    public static partial void SegmentDamaged(
        this ILogger logger,
        string directory,
        string segment,
        long position,
        long end,
        long offset,
        long endOffset,
        long readings,
        string kept
    );

    [LoggerMessage(
        EventId = 201,
        Level = LogLevel.Error,
        Message = "Journal {Directory}: the device cannot read {Segment} from byte {Position} to byte {End}, offsets {Offset} to before "
            + "{EndOffset}: "
            + "{Readings} acknowledged readings are not delivered; those behind them are. The file is kept; run 'journal recover' when it "
            + "can be read again. Check the storage (dmesg, SD card)"
    )]
    public static partial void SegmentUnreadable(
        this ILogger logger,
        string directory,
        string segment,
        long position,
        long end,
        long offset,
        long endOffset,
        long readings
    );

    [LoggerMessage(
        EventId = 203,
        Level = LogLevel.Error,
        Message = "Journal {Directory}: {Segment} ends at offset {End}, yet offsets up to {Expected} had been assigned: the storage "
            + "lost data that it had confirmed. Numbering continues at offset {Next}. Check the storage (dmesg, SD card)"
    )]
    public static partial void TailLost(this ILogger logger, string directory, string segment, long end, long expected, long next);

    [LoggerMessage(
        EventId = 204,
        Level = LogLevel.Error,
        Message = "Journal {Directory}: {File} belongs to another journal (its header says epoch {Epoch}, first offset {First}). It was "
            + "moved to {Kept}; to deliver "
            + "it, give it a directory of its own"
    )]
    public static partial void ForeignSegment(this ILogger logger, string directory, string file, string epoch, long first, string kept);

    [LoggerMessage(
        EventId = 205,
        Level = LogLevel.Warning,
        Message = "Journal {Directory}: the header of {Segment} was damaged and has been rewritten; its readings are not affected. Check "
            + "the storage (dmesg, SD card)"
    )]
    public static partial void HeaderRepaired(this ILogger logger, string directory, string segment);

    [LoggerMessage(
        EventId = 206,
        Level = LogLevel.Warning,
        Message = "Journal {Directory}: the epoch file is missing or damaged; epoch {Epoch} was taken from {Source}"
    )]
    public static partial void EpochRecovered(this ILogger logger, string directory, string epoch, string source);

    [LoggerMessage(
        EventId = 207,
        Level = LogLevel.Error,
        Message = "Journal {Directory}: neither the epoch file nor any segment header is readable; the new epoch is {Epoch}, "
            + "and all stored readings are delivered again under it"
    )]
    public static partial void EpochLost(this ILogger logger, string directory, string epoch);

    [LoggerMessage(
        EventId = 208,
        Level = LogLevel.Error,
        Message = "Journal {Directory}: all segment files are gone although the journal had been used. The journal begins again with epoch "
            + "{Epoch}. "
            + "If the files were deleted, the readings that had not been delivered are lost"
    )]
    public static partial void SegmentsGone(this ILogger logger, string directory, string epoch);

    [LoggerMessage(
        EventId = 209,
        Level = LogLevel.Warning,
        Message = "Journal {Directory}: the cursor file is damaged. Delivery begins again at offset {First}; the destination recognises "
            + "the readings that it has"
    )]
    public static partial void CursorDamaged(this ILogger logger, string directory, long first);

    [LoggerMessage(
        EventId = 210,
        Level = LogLevel.Error,
        Message = "Journal {Directory}: {File} could not be repaired now ({Problem}). The journal works without it; the next start "
            + "tries again"
    )]
    public static partial void RepairFailed(this ILogger logger, string directory, string file, string problem);

    [LoggerMessage(EventId = 211, Level = LogLevel.Warning, Message = "Journal {Directory} is full, appends wait: {Reason}")]
    public static partial void Full(this ILogger logger, string directory, string reason);

    [LoggerMessage(EventId = 212, Level = LogLevel.Warning, Message = "Journal {Directory} accepts appends again after {Waited}")]
    public static partial void NotFull(this ILogger logger, string directory, TimeSpan waited);

    [LoggerMessage(
        EventId = 213,
        Level = LogLevel.Warning,
        Message = "Journal {Directory}: the cursor could not be written ({Problem}); retrying. After a restart before that, some readings "
            + "are sent again"
    )]
    public static partial void CursorNotWritten(this ILogger logger, string directory, string problem);

    [LoggerMessage(
        EventId = 214,
        Level = LogLevel.Error,
        Message = "Journal {Directory}: the sink has committed up to offset {Committed}, yet the journal ends at {Next}: the storage "
            + "lost data that it had confirmed. Numbering continues at {Committed}. Check the storage (dmesg, SD card)"
    )]
    public static partial void CommitBeyondEnd(this ILogger logger, string directory, long committed, long next);

    [LoggerMessage(
        EventId = 215,
        Level = LogLevel.Critical,
        Message = "Journal {Directory}: the writer stopped because of a defect; appends fail from now on. Restart the service"
    )]
    public static partial void WriterStopped(this ILogger logger, Exception exception, string directory);

    [LoggerMessage(
        EventId = 216,
        Level = LogLevel.Warning,
        Message = "Journal {Directory}: {File} could not be deleted ({Problem}); its space is not free yet. Retrying"
    )]
    public static partial void NotDeleted(this ILogger logger, string directory, string file, string problem);

    [LoggerMessage(
        EventId = 217,
        Level = LogLevel.Warning,
        Message = "Journal {Directory}: the file 'losses', which counts the readings lost by damage, could not be written ({Problem}); "
            + "retrying"
    )]
    public static partial void LossesNotWritten(this ILogger logger, string directory, string problem);

    [LoggerMessage(
        EventId = 218,
        Level = LogLevel.Error,
        Message = "Journal {Directory}: {Segment}, which the device could not read in part, is deleted and not kept: quarantine/ has "
            + "{Bytes} of at "
            + "most {Most} bytes. "
            + "Run 'journal recover', or delete files there"
    )]
    public static partial void NotKept(this ILogger logger, string directory, string segment, long bytes, long most);

    [LoggerMessage(
        EventId = 219,
        Level = LogLevel.Warning,
        Message = "Journal {Directory}: {Segment} cannot be read now ({Problem}). Delivery waits and retries; after {Patience} it "
            + "continues behind the unreadable bytes. "
            + "Check the storage (dmesg, SD card)"
    )]
    public static partial void ReadFails(this ILogger logger, string directory, string segment, string problem, TimeSpan patience);

    [LoggerMessage(
        EventId = 220,
        Level = LogLevel.Warning,
        Message = "Journal {Directory}: the deletion of a delivered segment could not be made durable ({Problem}), so a power cut may "
            + "bring the file back. Until it is durable, no other segment is deleted. Retrying. Check the storage (dmesg, SD card)"
    )]
    public static partial void DeletionNotDurable(this ILogger logger, string directory, string problem);

    [LoggerMessage(EventId = 199, Level = LogLevel.Error, Message = "{Problem} Retrying every second")]
    public static partial void OpenFails(this ILogger logger, string problem);
}
