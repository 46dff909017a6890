using Amazon.S3;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Readings;

namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// Delivers a slot's journal as objects of a bucket. Each batch is planned, the plan is made durable, and its objects are uploaded under
/// keys that only this plan can have, never overwriting. The batch is committed when all of them are there.
/// </summary>
/// <remarks>
/// Nothing is lost or doubled, whenever a crash happens. Before the plan is on disk: nothing was uploaded, and the batch is cut again.
/// While its objects are uploaded: <see cref="OpenAsync"/> sends the loop back to the plan's range, and each object is made again with the
/// same key and rows. The bucket takes it, or answers 412 because it is there. After the last object but before the journal's cursor is
/// durable: the same happens, and every answer is 412. After that: the cursor is at the plan's end, which ends the plan. Only a plan that
/// begins where this one ends replaces it, so the plan corrects a cursor that fell behind it (lost, or from a backup).
/// </remarks>
sealed partial class S3Sink : IBatchSink
{
    /// <summary>A plan is written with each batch, so a poll between batches finds nothing new.</summary>
    static readonly TimeSpan IdlePoll = TimeSpan.FromMinutes(1);

    /// <summary>Odd dates come from a device with a wrong clock, and then with each batch.</summary>
    static readonly TimeSpan OtherDatesInterval = TimeSpan.FromHours(1);

    readonly S3Options options;
    readonly ObjectStore store;
    readonly S3Statistics statistics;
    readonly LoadWatch? watch;
    readonly TimeProvider clock;
    readonly ILogger<S3Sink> logger;
    readonly PlanResumption resumption;
    readonly RowWriter rows = new();
    SlotContext? slot;
    PlannedRules? rulesKept;

    /// <summary>The plan that still has objects not known to be in the bucket.</summary>
    BatchPlan? plan;
    PlanUpload? upload;

    long committed;
    long? otherDatesLogged;
    bool unreported;
    bool hasLate;

    /// <summary>Creates a sink for a slot. <paramref name="watch"/> is null if loads are not monitored.</summary>
    public S3Sink(
        S3Options options,
        IAmazonS3 client,
        S3Statistics statistics,
        LoadWatch? watch,
        TimeProvider clock,
        ILogger<S3Sink> logger
    )
    {
        this.options = options;
        this.statistics = statistics;
        this.watch = watch;
        this.clock = clock;
        this.logger = logger;
        store = new ObjectStore(options, client, clock);
        resumption = new PlanResumption(logger);
    }

    /// <summary>
    /// After a batch with late readings the next one waits longer: their files must not be tiny, and it is not known when more arrive.
    /// </summary>
    public BatchLimits Limits =>
        hasLate && options.Partitions.LateAge > options.Limits.Linger
            ? options.Limits with
            {
                Linger = options.Partitions.LateAge,
            }
            : options.Limits;

    public string Destination => $"s3://{options.Bucket}/{options.Prefix}";

    public TimeSpan PollInterval => unreported ? TimeSpan.Zero : IdlePoll;

    public async Task<SinkPosition> OpenAsync(SinkStart start, CancellationToken cancellationToken)
    {
        slot = start.Slot;
        rulesKept = new PlannedRules(start.Slot.Directory);
        upload = null;
        (var position, plan) = resumption.Resume(start);
        committed = position.Offset;
        await store.ProbeAsync(cancellationToken);
        return position;
    }

    public async Task SendAsync(Batch batch, CancellationToken cancellationToken)
    {
        if (slot is null)
            throw new InvalidOperationException("Not opened.");
        if (plan is not null && !plan.Covers(batch.FirstOffset, batch.EndOffset))
            throw new InvalidOperationException(
                $"Offsets [{plan.First}, {plan.End}) are planned; [{batch.FirstOffset}, {batch.EndOffset}) came."
            );
        var rules = plan is null ? null : RulesOf(plan);
        if (plan is not null && rules is null)
        {
            // Part of the batch may be uploaded by the old rules; which part cannot be known. Duplicates are better than losses.
            LogRulesChanged(slot.Name, plan.First, plan.End);
            Forget();
        }
        if (plan is not null && batch.Count > plan.Readings)
        {
            // The plan's objects have no place for readings found since. Duplicates are better than losses.
            LogMoreThanPlanned(slot.Name, plan.First, plan.End, plan.Readings.Value, batch.Count);
            Forget();
        }
        if (plan is null)
            (plan, rules) = (MakePlan(batch), options.Rules);
        try
        {
            await UploadAsync(plan, rules!, batch, cancellationToken);
        }
        catch (SinkException e) when (plan.Destination != Configured && S3Failure.BlamesDestination(e))
        {
            // The plan goes where the settings pointed when it was made; they have been corrected since.
            LogRetargeted(
                slot.Name,
                plan.First,
                plan.End,
                $"{plan.Destination.Bucket}/{plan.Destination.Prefix}",
                $"{options.Bucket}/{options.Prefix}",
                e.Message
            );
            upload = null;
            plan = Save(plan with { Destination = Configured });
            await UploadAsync(plan, rules!, batch, cancellationToken);
        }
        // Before the commit: after a crash the plan's objects are found in the bucket, and noted again.
        if (watch is not null)
            await watch.UploadedAsync(plan);
        committed = plan.End;
        unreported = true;
        Forget();
    }

    public Task<SinkCommit> PollAsync(CancellationToken cancellationToken)
    {
        unreported = false;
        // The cursor at the plan's end is what ends the plan, so it must be on disk before the next plan replaces this one.
        return Task.FromResult(new SinkCommit(committed, Durable: true));
    }

    public ValueTask DisposeAsync()
    {
        rows.Dispose();
        return ValueTask.CompletedTask;
    }

    Destination Configured => new(options.Bucket, options.Prefix, options.QuarantinePrefix);

    void Forget()
    {
        plan = null;
        upload = null;
    }

    BatchPlan MakePlan(Batch batch)
    {
        var planner = new BatchPlanner(options);
        var made = Save(planner.Plan(batch, slot!, Configured, clock.GetUtcNow()), options.Rules);
        planner.Report(statistics);
        rulesKept!.Tidy(options.Rules);
        hasLate = planner.HasLate;
        if (planner.OtherDates > 0 && (otherDatesLogged is not { } last || clock.GetElapsedTime(last) >= OtherDatesInterval))
        {
            LogOtherDates(slot!.Name, planner.OtherDates, made.First, made.End, PartitionLimits.OtherDates);
            otherDatesLogged = clock.GetTimestamp();
        }
        return made;
    }

    Task UploadAsync(BatchPlan current, ValidationRules rules, Batch batch, CancellationToken cancellationToken)
    {
        upload ??= new PlanUpload(current, new PlannedContent(Zone(current.Settings.TimeZone), rules), rows, store, statistics);
        return upload.RunAsync(batch, cancellationToken);
    }

    ValidationRules? RulesOf(BatchPlan current) =>
        current.Settings.Rules == options.Rules.Identity ? options.Rules : rulesKept!.Find(current.Settings.Rules);

    /// <param name="made">The plan.</param>
    /// <param name="planRules">The rules of a new plan; null if its rules are kept already.</param>
    BatchPlan Save(BatchPlan made, ValidationRules? planRules = null)
    {
        try
        {
            if (planRules is not null)
                rulesKept!.Keep(planRules);
            made.Save(slot!.Directory);
            return made;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw PlanResumption.NotWritten(slot!.Directory, e);
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
            throw new SinkException(
                SinkFailure.NeedsOperator,
                $"a planned batch is partitioned by {id}, which this system no longer knows; install the zone files (package tzdata)",
                inner: e
            );
        }
    }

    [LoggerMessage(
        EventId = 503,
        Level = LogLevel.Warning,
        Message = "{Slot}: offsets [{First}, {End}) were planned for {From} and go to {To} now, because {From} answered: {Answer}"
    )]
    partial void LogRetargeted(string slot, long first, long end, string from, string to, string answer);

    [LoggerMessage(
        EventId = 504,
        Level = LogLevel.Warning,
        Message = "{Slot}: the validation rules for offsets [{First}, {End}), whose upload had begun, are lost; the offsets are "
            + "planned again with the current rules, and some readings may be uploaded twice"
    )]
    partial void LogRulesChanged(string slot, long first, long end);

    [LoggerMessage(
        EventId = 505,
        Level = LogLevel.Error,
        Message = "{Slot}: offsets [{First}, {End}) were planned with {Planned} readings and have {Count} now; they are planned again, "
            + "some may be uploaded twice"
    )]
    partial void LogMoreThanPlanned(string slot, long first, long end, int planned, int count);

    [LoggerMessage(
        EventId = 506,
        Level = LogLevel.Warning,
        Message = "{Slot}: {Count} of the readings [{First}, {End}) carry implausible dates (PARTITION_OLDEST, PARTITION_NEWEST), too many "
            + "different ones (PARTITION_MAX_DATES), or old ones with few readings (PARTITION_MIN_LATE_READINGS); they are filed under "
            + "{Folder}/ and loaded like the others. Check the clocks of the devices"
    )]
    partial void LogOtherDates(string slot, int count, long first, long end, string folder);
}
