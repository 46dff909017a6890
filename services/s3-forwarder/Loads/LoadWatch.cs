using ThermalStreaming.Journal;

namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// Remembers which objects were uploaded, until Snowpipe reports their load. It never holds up delivery: what the disk refuses is kept in
/// memory and written with the next batch. Thread-safe.
/// </summary>
sealed partial class LoadWatch(LoadListFile list, LoadClient client, LoadFigures figures, ILogger<LoadWatch> logger)
{
    readonly Lock gate = new();
    readonly List<WatchedFile> unwritten = [];
    bool isRefused;

    /// <summary>The objects of a plan are in the bucket. May be called again for the same plan.</summary>
    public async Task UploadedAsync(BatchPlan plan)
    {
        var now = client.Clock.UtcNow;
        var plannedAt = plan.CreatedAt + (client.Clock.Offset ?? TimeSpan.Zero);
        List<WatchedFile> uploaded =
        [
            .. plan
                .Groups.Where(group => !group.Key.Quarantined)
                .SelectMany(group =>
                    group.Parts.Select(part => new WatchedFile(
                        $"s3://{plan.Destination.Bucket}/{plan.Key(group, part)}",
                        part.Rows,
                        plannedAt < now ? plannedAt : now,
                        now
                    ))
                ),
        ];
        if (uploaded.Count == 0)
            return;
        figures.Sent(uploaded.Sum(file => (long)file.Rows));
        List<WatchedFile> all;
        lock (gate)
        {
            all = [.. unwritten, .. uploaded];
            unwritten.Clear();
        }
        try
        {
            await list.AppendAsync(all);
            isRefused = false;
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            lock (gate)
            {
                unwritten.AddRange(all.TakeLast(LoadList.MostFiles - unwritten.Count));
            }
            if (!isRefused)
                LogRefused(list.Path, e.Message);
            isRefused = true;
        }
    }

    [LoggerMessage(
        EventId = 520,
        Level = LogLevel.Warning,
        Message = "{Path} cannot be written ({Problem}); the list of objects that await their load is kept in memory until it can. "
            + "Uploads continue. Free space on the data volume, or end the process that holds it"
    )]
    partial void LogRefused(string path, string problem);
}
