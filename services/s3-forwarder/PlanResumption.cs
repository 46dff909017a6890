using ThermalStreaming.Forwarding;
using ThermalStreaming.Journal;

namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// Finds the plan of the batch that was not finished, which may be of an earlier process, and where delivery continues. Used by one caller at
/// a time.
/// </summary>
sealed partial class PlanResumption(ILogger logger)
{
    // Whether this object has dealt with what an earlier process left: then a plan on disk is of this process.
    bool isChecked;

    // What is uploaded, although the journal's cursor has been lost.
    long uploadedEnd;

    /// <summary>Finds the unfinished plan on disk.</summary>
    /// <param name="start">The slot and its journal.</param>
    /// <returns>Where delivery continues, and the plan to finish; null if there is none.</returns>
    /// <exception cref="SinkException">The disk refuses, or the plan is of a later release.</exception>
    public (SinkPosition Position, BatchPlan? Plan) Resume(SinkStart start)
    {
        var found = Find(start);
        isChecked = true;
        return found;
    }

    /// <summary>The error for a plan that could not be written.</summary>
    public static SinkException NotWritten(string directory, Exception e) =>
        new(
            SinkFailure.Transient,
            $"write {Path.Combine(directory, BatchPlan.FileName)}: {e.Message}; nothing is uploaded before it is written. Free space on the "
                + "data volume, or make it writable.",
            inner: e
        );

    (SinkPosition Position, BatchPlan? Plan) Find(SinkStart start)
    {
        var directory = start.Slot.Directory;
        var cursor = Math.Max(start.Cursor, uploadedEnd);
        BatchPlan? found;
        try
        {
            found = BatchPlan.Load(directory);
        }
        catch (FormatException e)
        {
            LogPlanUnreadable(start.Slot.Name, SetAside(directory, "unreadable"), e.Message);
            return (new SinkPosition(cursor), null);
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            var file = Path.Combine(directory, BatchPlan.FileName);
            var why = e is LaterFormatException ? e.Message : $"read {file}: {e.Message}; make it readable for this process";
            throw new SinkException(SinkFailure.NeedsOperator, why, inner: e);
        }
        if (found is not null && found.Epoch != start.Slot.Epoch)
        {
            LogOtherEpoch(start.Slot.Name, found.Epoch, start.Slot.Epoch, SetAside(directory, found.Epoch));
            found = null;
        }
        if (found is null || cursor >= found.End)
            return (new SinkPosition(cursor), null);
        if (start.FirstStored >= found.End)
        {
            LogPlannedIsGone(start.Slot.Name, found.First, found.End, start.FirstStored);
            SetAside(directory, "lost");
            return (new SinkPosition(start.FirstStored), null);
        }
        // Readings that were taken in since the start are not those that an earlier process planned, even if they have got their offsets.
        var end = isChecked ? start.End : start.Slot.InitialEnd;
        if (end >= found.End)
            return (Continue(found), found);
        LogJournalShrank(start.Slot.Name, found.First, found.End, end);
        if (end <= found.First)
        {
            // What the journal held at the start is uploaded: a plan begins where the last one ended.
            SetAside(directory, "lost");
            uploadedEnd = end;
            return (new SinkPosition(Math.Max(cursor, end)), null);
        }
        var shorter = found with { End = end };
        try
        {
            shorter.Save(directory);
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            throw NotWritten(directory, e);
        }
        return (Continue(shorter), shorter);

        SinkPosition Continue(BatchPlan plan) => new(Math.Max(plan.First, start.FirstStored), plan.End);
    }

    static string SetAside(string directory, string why)
    {
        var from = Path.Combine(directory, BatchPlan.FileName);
        var to = Path.Combine(directory, $"s3-plan.{why}.json");
        File.Move(from, to, overwrite: true);
        return to;
    }

    [LoggerMessage(
        EventId = 500,
        Level = LogLevel.Warning,
        Message = "{Slot}: the plan belongs to the journal {PlanEpoch}, this one is {Epoch} (a new disk, or a new volume?); set aside as "
            + "{Path}"
    )]
    partial void LogOtherEpoch(string slot, string planEpoch, string epoch, string path);

    [LoggerMessage(
        EventId = 501,
        Level = LogLevel.Error,
        Message = "{Slot}: the plan of the last batch cannot be read ({Problem}); set aside as {Path}. That batch may be uploaded twice: "
            + "compare the newest objects"
    )]
    partial void LogPlanUnreadable(string slot, string path, string problem);

    [LoggerMessage(
        EventId = 502,
        Level = LogLevel.Error,
        Message = "{Slot}: offsets [{First}, {End}) were planned, but the journal ends at {JournalEnd}: the disk lost readings that it had "
            + "confirmed. Check it (journal verify)"
    )]
    partial void LogJournalShrank(string slot, long first, long end, long journalEnd);

    [LoggerMessage(
        EventId = 507,
        Level = LogLevel.Error,
        Message = "{Slot}: offsets [{First}, {End}) were planned, but the journal begins at {FirstStored}: the disk lost readings that it "
            + "had confirmed. Check it (journal verify)"
    )]
    partial void LogPlannedIsGone(string slot, long first, long end, long firstStored);
}
