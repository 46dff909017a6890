using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Journal;

/// <summary>
/// Keeps account of a journal's damage: copies the damaged bytes to quarantine/, notes which readings they cost, and logs each damaged
/// place once. Delivery does not depend on it: if the disk cannot be written now, the notes are written later. Thread-safe.
/// </summary>
sealed class DamageBook
{
    /// <summary>A clock that differs by less was not set.</summary>
    static readonly TimeSpan clockStep = TimeSpan.FromSeconds(10);

    readonly string directory;
    readonly Quarantine quarantine;
    readonly LossRecord losses;
    readonly long maxQuarantineBytes;
    readonly TimeProvider clock;
    readonly ILogger logger;
    readonly Lock gate = new();
    (int Files, long Bytes) content;
    bool hasFailed;
    long? foundAt;

    /// <param name="directory">The journal's.</param>
    /// <param name="maxQuarantineBytes">Bytes that quarantine/ may hold. Beyond that, damaged segments are deleted like others once they
    /// are delivered.</param>
    /// <param name="disk">Where to write.</param>
    /// <param name="clock">Tells when a loss was found.</param>
    /// <param name="logger">For the damaged places.</param>
    /// <exception cref="IOException">The file losses cannot be read now.</exception>
    public DamageBook(string directory, long maxQuarantineBytes, Disk disk, TimeProvider clock, ILogger logger)
    {
        this.directory = directory;
        this.maxQuarantineBytes = maxQuarantineBytes;
        this.clock = clock;
        this.logger = logger;
        quarantine = new Quarantine(directory, disk);
        losses = LossRecord.Load(directory, disk);
        content = Quarantine.Content(directory);
    }

    /// <summary>Readings that damage has cost in the journal's life, without those that were recovered.</summary>
    public long LostReadings
    {
        get
        {
            lock (gate)
                return losses.Readings;
        }
    }

    /// <summary>
    /// How long ago the newest loss was found; null if there was none, or an earlier release found it. Of a loss that this process found,
    /// by monotonic time: after a power cut the clock may be wrong when the damage is found.
    /// </summary>
    public TimeSpan? LossAge
    {
        get
        {
            lock (gate)
            {
                if (foundAt is { } here)
                    return clock.GetElapsedTime(here);
                return losses.FoundAt is { } before ? TimeSpan.FromTicks(Math.Max(0, (clock.GetUtcNow() - before).Ticks)) : null;
            }
        }
    }

    /// <summary>Damaged places found in the journal's life.</summary>
    public long DamagedPlaces
    {
        get
        {
            lock (gate)
                return losses.Places;
        }
    }

    /// <summary>Files in quarantine/ and their bytes.</summary>
    public (int Files, long Bytes) Quarantined
    {
        get
        {
            lock (gate)
                return content;
        }
    }

    /// <summary>Notes damaged places of a segment.</summary>
    /// <param name="segment">The segment.</param>
    /// <param name="gaps">All its damaged places; those that are known already are not counted again.</param>
    /// <param name="committed">First offset that is not committed: a missing reading below it was delivered, and is not lost.</param>
    /// <param name="firstSegment">First segment that still exists.</param>
    public void Report(Segment segment, IReadOnlyList<Gap> gaps, long committed, long firstSegment)
    {
        lock (gate)
        {
            foreach (var gap in gaps)
            {
                var missing = gap with { Offset = Math.Clamp(committed, gap.Offset, gap.EndOffset) };
                if (!losses.Add(segment.First, missing))
                    continue;
                LogGap(segment, gap, missing.Readings, Keep(segment, gap));
                if (missing.Readings > 0)
                    (foundAt, losses.FoundAt) = (clock.GetTimestamp(), clock.GetUtcNow());
            }

            content = Quarantine.Content(directory);
            Save(firstSegment);
        }
    }

    /// <summary>Moves a delivered segment that the device could not read in part to quarantine/: that part may be readable later.</summary>
    /// <returns>False if the file could not be moved now.</returns>
    public bool TryKeepWhole(Segment segment)
    {
        lock (gate)
        {
            try
            {
                quarantine.KeepFile(segment.Path);
                content = Quarantine.Content(directory);
                return true;
            }
            catch (Exception e) when (DiskError.IsFileProblem(e))
            {
                logger.NotDeleted(directory, Path.GetFileName(segment.Path), e.Message);
                return false;
            }
        }
    }

    /// <summary>Whether quarantine/ has room for a segment; logs it if not.</summary>
    public bool HasRoomFor(Segment segment)
    {
        lock (gate)
        {
            if (content.Bytes + segment.FileBytes <= maxQuarantineBytes)
                return true;
            logger.NotKept(directory, Path.GetFileName(segment.Path), content.Bytes, maxQuarantineBytes);
            return false;
        }
    }

    /// <summary>Notes that the journal begins again without segments: what the old ones cost is kept as a sum.</summary>
    public void BeginAgain()
    {
        lock (gate)
        {
            losses.FoldAll();
            Save(0);
        }
    }

    /// <summary>Writes the losses that are not on disk yet. A failure is logged once, and the next call tries again.</summary>
    public void Save(long firstSegment)
    {
        lock (gate)
        {
            // By now the clock may be right, and the next process has only the clock.
            if (
                foundAt is { } here
                && clock.GetUtcNow() - clock.GetElapsedTime(here) is var found
                && (found - losses.FoundAt)?.Duration() > clockStep
            )
                losses.FoundAt = found;
            try
            {
                losses.Save(firstSegment);
                hasFailed = false;
            }
            catch (Exception e) when (DiskError.IsFileProblem(e))
            {
                if (!hasFailed)
                    logger.LossesNotWritten(directory, e.Message);
                hasFailed = true;
            }
        }
    }

    string Keep(Segment segment, Gap gap)
    {
        if (gap.IsUnreadable)
            return segment.Path;
        if (gap.Bytes == 0)
            return "no file: there are no bytes";
        if (content.Bytes + gap.Bytes > maxQuarantineBytes)
            return $"no file: {Quarantine.Name}/ is full";
        try
        {
            return quarantine.KeepPart(segment.Path, gap.Position, gap.EndPosition);
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            return $"no file: {e.Message}";
        }
    }

    void LogGap(Segment segment, Gap gap, long lost, string kept)
    {
        var name = Path.GetFileName(segment.Path);
        if (gap.IsUnreadable)
            logger.SegmentUnreadable(directory, name, gap.Position, gap.EndPosition, gap.Offset, gap.EndOffset, lost);
        else
            logger.SegmentDamaged(directory, name, gap.Position, gap.EndPosition, gap.Offset, gap.EndOffset, lost, kept);
    }
}
