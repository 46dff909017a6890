using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Readings;

namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// Delivers a slot's journal as objects of a bucket: each batch is planned, the plan is made durable, and its objects are uploaded under keys that only this
/// plan can have, never overwriting. The batch is committed when all of them are there.
/// </summary>
/// <remarks>
/// Why nothing is lost or doubled, by what a crash finds:
/// before the plan is on disk, nothing was uploaded, and the batch is cut anew;
/// while its objects are uploaded, <see cref="OpenAsync"/> sends the loop back to the plan's range, and each object is made again with the same key and
/// rows: the bucket takes it, or answers 412 because it is there;
/// after the last object but before the journal's cursor is durable, the same happens, and every answer is 412;
/// after that, the cursor is at the plan's end, which ends the plan.
/// A plan is replaced only by the one that begins where it ends, so a cursor that fell behind the plan (lost, or from a backup) is put right by it.
/// </remarks>
sealed partial class S3Sink(S3Options options, IAmazonS3 client, S3Statistics statistics, TimeProvider clock, ILogger<S3Sink> logger) : IBatchSink
{
    /// <summary>Uploads under way at once; the journal and the intake need the machine too.</summary>
    const int MaxParallelUploads = 4;

    /// <summary>Objects being written at once. A batch whose clocks went mad may hold readings of thousands of dates; each pass takes this many groups.</summary>
    const int MaxOpenGroups = 32;

    /// <summary>A plan is written with each batch, so nothing happens between batches that a poll could find.</summary>
    static readonly TimeSpan IdlePoll = TimeSpan.FromMinutes(1);

    /// <summary>Time for an upload: this, and as long as <see cref="SlowestBytesPerSecond"/> takes.</summary>
    static readonly TimeSpan UploadGrace = TimeSpan.FromSeconds(30);

    const int SlowestBytesPerSecond = 16 * 1024;

    /// <summary>Metadata by which an object is known as this plan's. S3 adds <c>x-amz-meta-</c>.</summary>
    const string PlanMetadata = "plan", RowsMetadata = "rows";

    readonly RowWriter rows = new();
    SlotContext? slot;
    BatchPlan? plan;

    /// <summary>Parts of <see cref="plan"/> that are known to be in the bucket, by their first offset.</summary>
    readonly ConcurrentDictionary<long, bool> done = new();

    long committed;
    bool unreported;

    public BatchLimits Limits => options.Limits;

    public TimeSpan PollInterval => unreported ? TimeSpan.Zero : IdlePoll;

    public async Task<SinkPosition> OpenAsync(SinkStart start, CancellationToken cancellationToken)
    {
        slot = start.Slot;
        done.Clear();
        var position = Resume(start);
        committed = position.Offset;
        await ProbeBucketAsync(cancellationToken);
        return position;
    }

    public async Task SendAsync(Batch batch, CancellationToken cancellationToken)
    {
        if (slot is null)
            throw new InvalidOperationException("Not opened.");
        if (plan is not null && !plan.Covers(batch.FirstOffset, batch.EndOffset))
            throw new InvalidOperationException($"Offsets [{plan.First}, {plan.End}) are planned; [{batch.FirstOffset}, {batch.EndOffset}) came.");
        if (plan is not null && plan.Settings.Rules != ContentSettings.RulesInForce)
        {
            // Half of the batch may be uploaded by the old rules; which half cannot be known. Rather twice than not at all.
            LogRulesChanged(slot.Name, plan.First, plan.End);
            plan = null;
        }
        plan ??= MakePlan(batch);
        try
        {
            await UploadAsync(plan, batch, cancellationToken);
        }
        catch (SinkException e) when (e.Failure == SinkFailure.NeedsOperator && plan.Destination != Configured)
        {
            // The plan goes where the settings pointed when it was made; they were corrected since.
            LogRetargeted(slot.Name, plan.First, plan.End, $"{plan.Destination.Bucket}/{plan.Destination.Prefix}", $"{options.Bucket}/{options.Prefix}", e.Message);
            plan = Save(plan with { Destination = Configured });
            done.Clear();
            await UploadAsync(plan, batch, cancellationToken);
        }
        committed = plan.End;
        unreported = true;
        plan = null;
        done.Clear();
    }

    public Task<SinkCommit> PollAsync(CancellationToken cancellationToken)
    {
        unreported = false;
        // The cursor at the plan's end is what ends the plan, so it must be on disk before the next one replaces it on purpose or by accident.
        return Task.FromResult(new SinkCommit(committed, Durable: true));
    }

    public ValueTask DisposeAsync()
    {
        rows.Dispose();
        return ValueTask.CompletedTask;
    }

    Destination Configured => new(options.Bucket, options.Prefix, options.QuarantinePrefix);

    SinkPosition Resume(SinkStart start)
    {
        plan = null;
        BatchPlan? found;
        try
        {
            found = BatchPlan.Load(start.Slot.Directory);
        }
        catch (FormatException e)
        {
            LogPlanUnreadable(start.Slot.Name, SetAside(start.Slot.Directory, "unreadable"), e.Message);
            return new SinkPosition(start.Cursor);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SinkException(SinkFailure.NeedsOperator, $"read {Path.Combine(start.Slot.Directory, BatchPlan.FileName)}: {e.Message}; make it readable for this process", inner: e);
        }
        if (found is null)
            return new SinkPosition(start.Cursor);
        if (found.Epoch != start.Slot.Epoch)
        {
            LogOtherEpoch(start.Slot.Name, found.Epoch, start.Slot.Epoch, SetAside(start.Slot.Directory, found.Epoch));
            return new SinkPosition(start.Cursor);
        }
        if (start.Cursor >= found.End)
            return new SinkPosition(start.Cursor);
        if (start.End <= found.First)
        {
            // The journal lost everything the plan was made of; what comes next under these offsets is something else.
            LogJournalShrank(start.Slot.Name, found.First, found.End, start.End);
            SetAside(start.Slot.Directory, "lost");
            return new SinkPosition(Math.Max(start.Cursor, found.First));
        }
        if (start.End < found.End)
        {
            LogJournalShrank(start.Slot.Name, found.First, found.End, start.End);
            slot = start.Slot;
            found = Save(found with { End = start.End });
        }
        plan = found;
        return new SinkPosition(Math.Max(found.First, start.FirstStored), found.End);
    }

    static string SetAside(string directory, string why)
    {
        var from = Path.Combine(directory, BatchPlan.FileName);
        var to = Path.Combine(directory, $"s3-plan.{why}.json");
        File.Move(from, to, overwrite: true);
        return to;
    }

    BatchPlan MakePlan(Batch batch)
    {
        var classifier = new Classifier(options.Validation, options.TimeZone);
        var offsets = new Dictionary<GroupKey, List<long>>();
        var brokenRules = new Dictionary<string, int>(StringComparer.Ordinal);
        int invalid = 0, dropped = 0;
        GroupKey? lastKey = null;
        List<long>? last = null;
        foreach (var reading in batch.Readings())
        {
            var key = classifier.Classify(reading, out var isInvalid);
            if (isInvalid)
            {
                invalid++;
                CountBrokenRules(reading.Payload.Inverter(reading.Index), brokenRules);
            }
            if (key is not { } group)
            {
                dropped++;
                continue;
            }
            if (last is null || lastKey != key)
            {
                if (!offsets.TryGetValue(group, out last))
                    offsets[group] = last = [];
                lastKey = key;
            }
            last.Add(reading.Offset);
        }
        var made = Save(new BatchPlan
        {
            Id = Guid.CreateVersion7(clock.GetUtcNow()).ToString("N"),
            Epoch = slot!.Epoch,
            Slot = slot.Name,
            First = batch.FirstOffset,
            End = batch.EndOffset,
            CreatedAt = batch.CreatedAt,
            Destination = Configured,
            Settings = new ContentSettings(options.Format, options.Compression, options.TimeZone.Id, options.Validation, ContentSettings.RulesInForce),
            // Nothing loads the quarantine in parallel: one object.
            Groups = [.. offsets.Select(group => PlannedGroup.Split(group.Key, group.Value, group.Key.Quarantined ? 1 : options.Files))],
        });
        statistics.Validated(brokenRules, invalid, dropped);
        return made;
    }

    static void CountBrokenRules(InverterReading reading, Dictionary<string, int> counts)
    {
        foreach (var rule in InverterRule.All)
        {
            if (rule.Broken(reading) is not null)
                counts[rule.Key] = counts.GetValueOrDefault(rule.Key) + 1;
        }
    }

    BatchPlan Save(BatchPlan made)
    {
        try
        {
            made.Save(slot!.Directory);
            return made;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SinkException(SinkFailure.Transient, $"write {Path.Combine(slot!.Directory, BatchPlan.FileName)}: {e.Message}; nothing is uploaded before it is written. Free space on the data volume, or make it writable.", inner: e);
        }
    }

    /// <summary>Makes and uploads every object of the plan that is not known to be there: the next is written while earlier ones are under way.</summary>
    async Task UploadAsync(BatchPlan current, Batch batch, CancellationToken cancellationToken)
    {
        using var uploads = new Uploads(MaxParallelUploads, cancellationToken);
        try
        {
            var classifier = new Classifier(current.Settings.Validation, Zone(current.Settings.TimeZone));
            foreach (var groups in current.Groups.Chunk(MaxOpenGroups))
                await WriteGroupsAsync(current, groups, batch, classifier, uploads, cancellationToken);
        }
        catch (OperationCanceledException) when (uploads.Failure is not null)
        {
            // Thrown below, when the others have ended too.
        }
        finally
        {
            await uploads.SettleAsync();
        }
        cancellationToken.ThrowIfCancellationRequested();
        if (uploads.Failure is { } failure)
            throw failure;
    }

    async Task WriteGroupsAsync(BatchPlan current, PlannedGroup[] groups, Batch batch, Classifier classifier, Uploads uploads, CancellationToken cancellationToken)
    {
        var open = groups.ToDictionary(group => group.Key, group => new OpenGroup(group));
        var stamp = new RowStamp(current.CreatedAt, current.Slot);
        try
        {
            foreach (var reading in batch.Readings())
            {
                // Beyond the end: a plan that was cut because the journal lost its tail.
                if (reading.Offset >= current.End || classifier.Classify(reading, out _) is not { } key || !open.TryGetValue(key, out var group))
                    continue;
                var part = group.Plan.Parts[group.Plan.PartOf(reading.Offset)];
                if (group.Writer is { } previous && previous.Part != part)
                    await StartAsync(group);
                if (group.Writer is null)
                {
                    if (done.ContainsKey(part.First))
                        continue;
                    group.Writer = new ObjectWriter(part, current.Settings.Format, current.Settings.Compression);
                }
                group.Writer.Add(rows.Write(reading, key.Quarantined, stamp));
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

        Task StartAsync(OpenGroup group) => uploads.StartAsync(() =>
        {
            var writer = group.Writer!;
            group.Writer = null;
            writer.Complete();
            return PutAsync(current, group.Plan, writer, cancellationToken);
        });
    }

    async Task PutAsync(BatchPlan current, PlannedGroup group, ObjectWriter writer, CancellationToken stop)
    {
        using var body = writer.Body;
        var key = current.Key(group, writer.Part);
        var bucket = current.Destination.Bucket;
        var what = $"PUT s3://{bucket}/{key}";
        using var deadline = new CancellationTokenSource(UploadGrace + TimeSpan.FromSeconds(body.Length / (double)SlowestBytesPerSecond), clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, deadline.Token);
        try
        {
            var request = S3Client.PutIfAbsent(options, bucket, key, body, ContentType(current.Settings));
            request.Metadata[PlanMetadata] = current.Id;
            request.Metadata[RowsMetadata] = writer.Rows.ToString(CultureInfo.InvariantCulture);
            var started = clock.GetTimestamp();
            statistics.Requested();
            await client.PutObjectAsync(request, either.Token);
            statistics.Uploaded(group.Key, writer.Rows, body.Length, writer.UncompressedBytes, clock.GetElapsedTime(started));
            done[writer.Part.First] = true;
        }
        catch (AmazonServiceException e) when (e.StatusCode == HttpStatusCode.PreconditionFailed)
        {
            await RecogniseAsync(current, bucket, key, body.Length, writer.Rows, either.Token);
            statistics.FoundInPlace();
            done[writer.Part.First] = true;
        }
        catch (OperationCanceledException e) when (deadline.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            throw new SinkException(SinkFailure.Transient, $"{what}: {body.Length} bytes took longer than {UploadGrace.TotalSeconds + body.Length / SlowestBytesPerSecond:0} s", inner: e);
        }
        catch (Exception e) when (e is not OperationCanceledException || !stop.IsCancellationRequested)
        {
            throw S3Failure.Translate(e, what, options);
        }
    }

    /// <summary>Makes sure that what lies under the key is this plan's object. Anything else is neither overwritten nor taken for delivered.</summary>
    async Task RecogniseAsync(BatchPlan current, string bucket, string key, long length, int rowCount, CancellationToken cancellationToken)
    {
        GetObjectMetadataResponse found;
        try
        {
            found = await client.GetObjectMetadataAsync(bucket, key, cancellationToken);
        }
        catch (AmazonServiceException e) when (e.StatusCode == HttpStatusCode.Forbidden)
        {
            // The user may write but not read. The key holds the journal's random identity and the plan's time, so nobody else makes it.
            LogNotVerified(bucket, key);
            return;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw S3Failure.Translate(e, $"HEAD s3://{bucket}/{key}", options);
        }
        var planId = found.Metadata[PlanMetadata];
        // Fewer rows than the object has: the journal lost some of them since. More: some are not in it.
        var ours = planId is null
            ? found.Metadata.Count == 0 && found.ContentLength == length
            : planId == current.Id && int.TryParse(found.Metadata[RowsMetadata], NumberStyles.None, CultureInfo.InvariantCulture, out var there) && there >= rowCount;
        if (!ours)
        {
            throw new SinkException(SinkFailure.NeedsOperator,
                $"PUT s3://{bucket}/{key}: an object with other content is there (ETag {found.ETag}, {found.ContentLength} bytes, {found.LastModified:u}); it was not overwritten. Find out who wrote it, then move it away: aws s3 mv s3://{bucket}/{key} s3://{bucket}/set-aside/");
        }
    }

    /// <summary>A bucket that is not there, or not in this region, is reported at the start and not when the first batch is full.</summary>
    async Task ProbeBucketAsync(CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(UploadGrace, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            await client.HeadBucketAsync(new HeadBucketRequest { BucketName = options.Bucket }, either.Token);
        }
        catch (AmazonServiceException e) when (e.StatusCode is HttpStatusCode.NotFound)
        {
            throw S3Failure.Translate(new AmazonS3Exception(e.Message, e, ErrorType.Sender, "NoSuchBucket", e.RequestId, e.StatusCode), $"HEAD s3://{options.Bucket}", options);
        }
        catch (AmazonServiceException e) when (e.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented or HttpStatusCode.BadRequest)
        {
            // A user that may only put objects may not ask this; the first upload tells.
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw S3Failure.Translate(e, $"HEAD s3://{options.Bucket}", options);
        }
    }

    TimeZoneInfo Zone(string id)
    {
        if (id == options.TimeZone.Id)
            return options.TimeZone;
        try
        {
            return TimeZoneInfo.FindSystemTimeZoneById(id);
        }
        catch (Exception e) when (e is TimeZoneNotFoundException or InvalidTimeZoneException)
        {
            throw new SinkException(SinkFailure.NeedsOperator, $"a planned batch is partitioned by {id}, which this system does not know any more; install the zone files (package tzdata)", inner: e);
        }
    }

    static string ContentType(ContentSettings settings) => settings switch
    {
        { Compression: ObjectCompression.Gzip } => "application/gzip",
        { Format: ObjectFormat.NdJson } => "application/x-ndjson",
        _ => "application/json",
    };

    [LoggerMessage(EventId = 500, Level = LogLevel.Warning, Message = "{Slot}: the plan belongs to the journal {PlanEpoch}, this one is {Epoch} (a new disk, or a new volume?); set aside as {Path}")]
    partial void LogOtherEpoch(string slot, string planEpoch, string epoch, string path);

    [LoggerMessage(EventId = 501, Level = LogLevel.Error, Message = "{Slot}: the plan of the last batch cannot be read ({Problem}); set aside as {Path}. That batch may be uploaded twice: compare the newest objects")]
    partial void LogPlanUnreadable(string slot, string path, string problem);

    [LoggerMessage(EventId = 502, Level = LogLevel.Error, Message = "{Slot}: offsets [{First}, {End}) were planned, but the journal ends at {JournalEnd}: the disk lost readings that it had confirmed. Check it (journal verify)")]
    partial void LogJournalShrank(string slot, long first, long end, long journalEnd);

    [LoggerMessage(EventId = 503, Level = LogLevel.Warning, Message = "{Slot}: offsets [{First}, {End}) were planned for {From} and go to {To} now, because the former answered: {Answer}")]
    partial void LogRetargeted(string slot, long first, long end, string from, string to, string answer);

    [LoggerMessage(EventId = 504, Level = LogLevel.Warning, Message = "{Slot}: the validation rules changed while offsets [{First}, {End}) were being uploaded; they are planned anew, some may be uploaded twice")]
    partial void LogRulesChanged(string slot, long first, long end);

    [LoggerMessage(EventId = 505, Level = LogLevel.Debug, Message = "s3://{Bucket}/{Key} is there already; whether it is the same could not be asked (allow s3:GetObject)")]
    partial void LogNotVerified(string bucket, string key);

    sealed class OpenGroup(PlannedGroup plan)
    {
        public PlannedGroup Plan { get; } = plan;

        /// <summary>The object being written, if one is.</summary>
        public ObjectWriter? Writer { get; set; }
    }

    /// <summary>Uploads under way, at most so many. The first failure lets no other begin; those that have begun may end.</summary>
    sealed class Uploads(int most, CancellationToken cancellationToken) : IDisposable
    {
        readonly SemaphoreSlim free = new(most);
        readonly CancellationTokenSource noMore = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        readonly List<Task> running = [];
        Exception? failure;

        public Exception? Failure => Volatile.Read(ref failure);

        /// <summary>Begins one as soon as it may. Not to be called concurrently.</summary>
        /// <exception cref="OperationCanceledException">Another has failed, or the caller wants to end.</exception>
        public async Task StartAsync(Func<Task> upload)
        {
            await free.WaitAsync(noMore.Token);
            noMore.Token.ThrowIfCancellationRequested();
            running.RemoveAll(task => task.IsCompleted);
            running.Add(RunAsync(upload));
        }

        /// <summary>Completes, never with an exception, when none is under way.</summary>
        public Task SettleAsync() => Task.WhenAll(running);

        async Task RunAsync(Func<Task> upload)
        {
            try
            {
                await upload();
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref failure, e, null);
                await noMore.CancelAsync();
            }
            finally
            {
                free.Release();
            }
        }

        public void Dispose()
        {
            free.Dispose();
            noMore.Dispose();
        }
    }
}
