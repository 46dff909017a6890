using System.Collections.Concurrent;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Readings;

namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// Makes the objects of one plan and uploads those not known to be there: the next is written while earlier ones are uploading. Kept for
/// retries of a send. Not for concurrent calls.
/// </summary>
sealed class PlanUpload(BatchPlan plan, PlannedContent content, RowWriter rows, ObjectStore store, S3Statistics statistics)
{
    /// <summary>Concurrent uploads; the journal and the intake need the machine too.</summary>
    const int MaxParallelUploads = 4;

    /// <summary>
    /// Objects written at once. A plan of an earlier version may have thousands; each pass over the batch writes this many.
    /// </summary>
    const int MaxOpenGroups = 32;

    /// <summary>Parts that are known to be in the bucket, by their group and first offset.</summary>
    readonly ConcurrentDictionary<(GroupKey Group, long First), bool> done = new();

    /// <exception cref="SinkException">An object is not known to be in the bucket. Call again with the same batch.</exception>
    public async Task RunAsync(Batch batch, CancellationToken stop)
    {
        using var uploads = new UploadQueue(MaxParallelUploads, stop);
        try
        {
            foreach (var groups in plan.Groups.Chunk(MaxOpenGroups))
                await WriteAsync(groups, batch, uploads, stop);
        }
        catch (OperationCanceledException) when (uploads.Failure is not null)
        {
            // Thrown below, after the others have ended too.
        }
        finally
        {
            await uploads.SettleAsync();
        }
        stop.ThrowIfCancellationRequested();
        if (uploads.Failure is { } failure)
            throw failure;
    }

    async Task WriteAsync(PlannedGroup[] groups, Batch batch, UploadQueue uploads, CancellationToken stop)
    {
        var planned = plan.Groups.Select(group => group.Key).ToHashSet();
        var open = groups.ToDictionary(group => group.Key, group => new OpenGroup(group));
        var checker = new RuleChecker(content.Rules);
        var classifier = new Classifier(plan.Settings.Validation, content.Zone, plan.Settings.Folders, checker);
        var stamp = new RowStamp(plan.CreatedAt, plan.Slot);
        try
        {
            foreach (var reading in batch.Readings())
            {
                // Beyond the end: the plan was cut because the journal lost its tail.
                if (reading.Offset >= plan.End || classifier.Classify(reading, out _) is not { } own)
                    continue;
                var key =
                    planned.Contains(own) ? own
                    : planned.Contains(own.OfDate) ? own.OfDate
                    : own.OfOtherDates;
                if (!open.TryGetValue(key, out var group))
                    continue;
                var part = group.Plan.Parts[group.Plan.PartOf(reading.Offset)];
                if (group.Writer is { } previous && previous.Part != part)
                    await StartAsync(group);
                if (group.Writer is null)
                {
                    if (done.ContainsKey((key, part.First)))
                        continue;
                    group.Writer = new ObjectWriter(part, plan.Settings.Format, plan.Settings.Compression);
                }
                group.Writer.Add(rows.Write(reading, key.Quarantined ? checker : null, stamp));
                if (group.Writer.Rows == part.Rows)
                    await StartAsync(group);
            }
            foreach (var group in open.Values.Where(group => group.Writer is not null))
                await StartAsync(group);
        }
        finally
        {
            foreach (var group in open.Values)
                group.Writer?.Body.Dispose();
        }

        Task StartAsync(OpenGroup group) =>
            uploads.StartAsync(() =>
            {
                var writer = group.Writer!;
                group.Writer = null;
                writer.Complete();
                return PutAsync(group.Plan, writer, stop);
            });
    }

    async Task PutAsync(PlannedGroup group, ObjectWriter writer, CancellationToken stop)
    {
        using var body = writer.Body;
        var target = new UploadObject(
            plan.Destination.Bucket,
            plan.Key(group, writer.Part),
            plan.Settings.ContentType,
            plan.Id,
            writer.Rows
        );
        statistics.Requested();
        try
        {
            if (await store.PutAsync(target, body, stop))
                statistics.Uploaded(group.Key, writer.Rows, body.Length, writer.UncompressedBytes);
            else
                statistics.FoundInPlace();
        }
        catch (SinkException e) when (e.InnerException is ForeignAnswerException)
        {
            statistics.ForeignAnswer();
            throw;
        }
        done[(group.Key, writer.Part.First)] = true;
    }

    sealed class OpenGroup(PlannedGroup plan)
    {
        public PlannedGroup Plan { get; } = plan;

        /// <summary>The object being written; null if there is none.</summary>
        public ObjectWriter? Writer { get; set; }
    }
}
