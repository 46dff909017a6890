namespace ThermalStreaming.Journal;

/// <summary>
/// Deletes segment files that are no longer needed. A file that cannot be deleted now stays and is reported; nothing is thrown. One thread
/// at a time may remove segments and make that durable; the rest is thread-safe.
/// </summary>
/// <param name="environment">The journal.</param>
/// <param name="damage">Keeps the segments that the device could not read in part.</param>
/// <param name="beforeReclaim"><see cref="JournalOptions.BeforeReclaim"/>.</param>
/// <param name="isFlushDue">Whether the directory may not be durable, so that an earlier process's deletions may not be either.</param>
sealed class SegmentRemoval(JournalEnvironment environment, DamageBook damage, Func<bool>? beforeReclaim, bool isFlushDue)
{
    static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    bool isFlushDue = isFlushDue;
    long? failedAt;

    /// <summary>Asks the journal's owner whether delivered segments may be deleted now.</summary>
    /// <param name="segment">The first segment that would be deleted, for the message if the answer is an error.</param>
    public bool IsAllowed(Segment segment)
    {
        try
        {
            return beforeReclaim?.Invoke() ?? true;
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            environment.Logger.NotDeleted(environment.Directory, Path.GetFileName(segment.Path), e.Message);
            return false;
        }
    }

    /// <summary>Deletes a segment, or moves it to quarantine/ if the device could not read part of it and there is room.</summary>
    /// <returns>Whether it is gone from the journal's directory.</returns>
    public bool TryRemove(Segment segment)
    {
        var isKept = segment.Gaps.Any(gap => gap.IsUnreadable) && damage.HasRoomFor(segment);
        var isGone = isKept ? damage.TryKeepWhole(segment) : TryDelete(segment.Path);
        isFlushDue |= isGone;
        return isGone;
    }

    /// <summary>Deletes a file.</summary>
    /// <returns>Whether it is gone.</returns>
    public bool TryDelete(string path)
    {
        try
        {
            environment.Disk.Delete(path);
            return true;
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            environment.Logger.NotDeleted(environment.Directory, Path.GetFileName(path), e.Message);
            return false;
        }
    }

    /// <summary>Makes removals durable. After a failure it tries again at most once a second.</summary>
    /// <returns>Whether they are. If not, a power cut may bring a file back.</returns>
    public bool TryFlush()
    {
        if (!isFlushDue)
            return true;
        if (failedAt is { } at && environment.Clock.GetElapsedTime(at) < RetryInterval)
            return false;
        try
        {
            environment.Disk.FlushDirectory(environment.Directory);
            (isFlushDue, failedAt) = (false, null);
            return true;
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            if (failedAt is null)
                environment.Logger.DeletionNotDurable(environment.Directory, e.Message);
            failedAt = environment.Clock.GetTimestamp();
            return false;
        }
    }
}
