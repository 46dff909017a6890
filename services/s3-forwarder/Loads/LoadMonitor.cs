using ThermalStreaming.Forwarding;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;

namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// Asks Snowpipe what became of uploaded objects and reports it in figures, in the log, and as dead letters. One of the replicas of a
/// volume asks. Nothing is asked if all objects are settled.
/// </summary>
/// <remarks>
/// A failed file gets its dead letter before it leaves the list, so a kill in between costs a second letter and never the only one. A file
/// counts as missed only after the history was read once more from the time of its plan.
/// </remarks>
sealed partial class LoadMonitor(
    LoadClient client,
    LoadListFile list,
    LoadFigures figures,
    DeadLetters letters,
    Health health,
    TimeProvider clock,
    ILogger<LoadMonitor> logger
) : BackgroundService
{
    const string Part = "loads";
    static readonly TimeSpan longestPause = TimeSpan.FromHours(1);

    // An object may be loaded while the plan's last one is still being uploaded, and clocks differ a little.
    static readonly TimeSpan early = TimeSpan.FromMinutes(5);

    readonly LoadOptions options = client.Options;

    /// <summary>Files that have their dead letter although the list could not be written afterwards.</summary>
    readonly HashSet<string> lettered = new(StringComparer.Ordinal);

    readonly UploadDates dates = new(client, clock);

    /// <summary>Also in the list, which is not written for this alone.</summary>
    DateTimeOffset? scannedUntil;
    int failures;
    int damagedLines;
    string? lastProblem;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        FileLock? leader = null;
        try
        {
            while (true)
            {
                var pause = options.Interval;
                try
                {
                    leader ??= FileLock.TryTake(list.LeaderPath);
                    if (leader is not null)
                        pause = await AskAsync(stoppingToken);
                }
                catch (Exception e) when (DiskError.IsFileProblem(e))
                {
                    Report($"{list.Path}: {e.Message.TrimEnd('.')}. Free space on the data volume, or make it writable.", e.Message);
                }
                await Task.Delay(pause, clock, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping. The list is on disk.
        }
        finally
        {
            leader?.Dispose();
        }
    }

    /// <returns>How long to wait.</returns>
    internal async Task<TimeSpan> AskAsync(CancellationToken stop)
    {
        var known = await list.UpdateAsync(now => dates.Correct(now) | Trim(now));
        ReportDamage(known);
        figures.Show(known, client.Clock.Offset ?? TimeSpan.Zero);
        if (known.Files.Count == 0)
        {
            Note(known);
            return options.Interval;
        }
        try
        {
            var (found, until) = await LoadScan.RunAsync(client, Resume(known), address => known.Find(address) is not null, clock, stop);
            known = await SettleAsync(found, until);
            scannedUntil = until;
            known = await FindMissedAsync(known, stop);
        }
        catch (SnowflakeException e)
        {
            return Failed(e.Error);
        }
        figures.Asked(null);
        if (lastProblem is not null)
            LogAnswers(options.FullPipe);
        (failures, lastProblem) = (0, null);
        figures.Show(known, client.Clock.Offset ?? TimeSpan.Zero);
        Note(known);
        return options.Interval;
    }

    /// <summary>
    /// Where to continue reading. The history may have an object from the time of its plan on: an upload over a slow line ends long after
    /// its first objects were loaded. So for objects noted since the last reading, start at their plan.
    /// </summary>
    DateTimeOffset Resume(LoadList known)
    {
        var resumed = (scannedUntil ?? known.ScannedUntil) - LoadScan.Overlap;
        return known.Files.Min(file => resumed is { } at && file.UploadedAt < at ? at : file.PlannedAt - early);
    }

    /// <summary>Drops objects that are too old for the history, and those beyond the limit.</summary>
    bool Trim(LoadList known)
    {
        var now = client.Clock.UtcNow;
        var old = known.Files.Where(file => now - file.LastTold > LoadScan.Memory).ToList();
        foreach (var file in old)
        {
            Keep(
                file.Address,
                file.Rows,
                $"Snowpipe's history of 14 days never listed {file.Address} ({file.Rows} rows). {HowToLoad(file.Address)}"
            );
            known.Remove(file.Address);
        }
        if (old.Count > 0)
        {
            letters.Flush();
            LogGivenUp(old.Count, options.FullPipe, old[0].Address);
        }
        var excess = known.Files.Count - LoadList.MostFiles;
        if (excess > 0)
        {
            foreach (var file in known.Files.Take(excess).ToList())
                known.Remove(file.Address);
            LogExcess(excess, LoadList.MostFiles);
        }
        if (old.Count > 0 || excess > 0)
            figures.GaveUp(old.Count + Math.Max(0, excess));
        return old.Count > 0 || excess > 0;
    }

    async Task<LoadList> SettleAsync(IReadOnlyCollection<LoadedFile> found, DateTimeOffset until)
    {
        List<(WatchedFile File, LoadedFile Found)> settled = [];
        var known = await list.UpdateAsync(now =>
        {
            settled.Clear();
            foreach (var file in found.Where(file => file.State != LoadState.InProgress))
            {
                if (now.Find(file.Address) is not { } watched)
                    continue;
                settled.Add((watched, file));
                now.Remove(file.Address);
                if (file.State is LoadState.PartiallyLoaded or LoadState.Failed)
                    now.Add(new UnloadedFile(file.Address, until, file.State, watched.Rows, file.RowsInserted, file.FirstError));
            }
            if (settled.Count == 0)
                return false;
            foreach (var (watched, file) in settled.Where(pair => pair.Found.State is LoadState.PartiallyLoaded or LoadState.Failed))
                Keep(file.Address, watched.Rows, Reason(file, watched));
            letters.Flush();
            now.ScannedUntil = until;
            return true;
        });
        foreach (var (watched, file) in settled)
        {
            lettered.Remove(file.Address);
            figures.Settled(watched, file);
            Say(watched, file);
        }
        return known;
    }

    /// <summary>Reports once that Snowpipe has not seen a file.</summary>
    async Task<LoadList> FindMissedAsync(LoadList known, CancellationToken stop)
    {
        var now = client.Clock.UtcNow;
        var overdue = known
            .Files.Where(file => !file.IsMissed && file.Age(now) > options.MissedAfter)
            .ToDictionary(file => file.Address, StringComparer.Ordinal);
        if (overdue.Count == 0)
            return known;
        var from = overdue.Values.Min(file => file.PlannedAt) - early;
        var (found, until) = await LoadScan.RunAsync(client, from, overdue.ContainsKey, clock, stop);
        known = await SettleAsync(found, until);
        // Snowpipe has seen a file that it is still loading.
        foreach (var file in found)
            overdue.Remove(file.Address);
        if (overdue.Count == 0)
            return known;
        known = await list.UpdateAsync(current =>
        {
            foreach (var address in overdue.Keys)
            {
                if (current.Find(address) is { } file)
                    current.Put(file with { IsMissed = true });
            }
            return true;
        });
        LogMissed(overdue.Count, options.FullPipe, overdue.Values.MinBy(file => file.UploadedAt)!.Address);
        return known;
    }

    void Keep(string address, int rows, string reason)
    {
        if (lettered.Add(address))
        {
            letters.Add(
                new DeadLetter(reason, $"snowpipe/{options.FullPipe}", "text/plain", rows, System.Text.Encoding.UTF8.GetBytes(address)),
                DeadLetterOrigin.Unloaded
            );
        }
    }

    string Reason(LoadedFile file, WatchedFile watched) =>
        $"Snowpipe {options.FullPipe} loaded {file.RowsInserted} of {watched.Rows} rows of {file.Address} "
        + $"({LoadFigures.NameOf(file.State)}, {file.Errors} errors). First error: {FirstError(file)}. "
        + (
            file.State == LoadState.PartiallyLoaded
                ? "The other rows are in the table: insert the missing ones by hand, and do not load the file again."
                : HowToLoad(file.Address)
        );

    static string FirstError(LoadedFile file) => file.FirstError.Length > 0 ? file.FirstError : "not told";

    string HowToLoad(string address)
    {
        var path = address.StartsWith(options.StageUrl, StringComparison.Ordinal) ? address[options.StageUrl.Length..] : address;
        return $"Correct the cause, then load it once with the COPY statement of the pipe (SELECT GET_DDL('PIPE', '{options.FullPipe}')) "
            + $"and FILES = ('{path.Replace("'", "''", StringComparison.Ordinal)}'); the pipe itself reads a name only once "
            + "(docs/s3-snowpipe.md, Were they loaded?).";
    }

    void Say(WatchedFile watched, LoadedFile file)
    {
        if (file.State is LoadState.PartiallyLoaded or LoadState.Failed)
            LogUnloaded(options.FullPipe, file.RowsInserted, watched.Rows, file.Address, FirstError(file));
        else if (file.RowsInserted != watched.Rows)
            LogOtherRows(options.FullPipe, file.RowsInserted, watched.Rows, file.Address);
    }

    TimeSpan Failed(SnowflakeError error)
    {
        var explanation = LoadAdvice.Explain(error, options);
        failures++;
        figures.Asked(error.Describe());
        // Without the error's words: Snowflake puts another uuid into each refusal.
        Report($"{error.Describe()}. {explanation.Cause} {explanation.Fix}", $"{error.Operation} {error.Status} {error.Code}");
        // Errors that only a person can fix are retried ever more rarely too: many refused sign-ins lock a user.
        var pause = options.Interval * Math.Pow(2, Math.Min(failures, 10));
        if (error.RetryAfter is { } wait && wait > pause)
            pause = wait;
        var most = options.Interval > longestPause ? options.Interval : longestPause;
        return pause < most ? pause : most;
    }

    /// <summary>Reports a problem once. Readings are delivered all the same, so the service stays ready.</summary>
    void Report(string problem, string kind)
    {
        health.Well(Part, $"not known whether objects are loaded: {problem}");
        if (kind != lastProblem)
            LogProblem(problem);
        lastProblem = kind;
    }

    void Note(LoadList known)
    {
        var missed = known.Files.Count(file => file.IsMissed);
        if (missed > 0)
            health.Well(Part, $"{missed} uploaded objects were never seen by {options.FullPipe}: s3-forwarder loads refresh");
        else
            health.Well(Part);
    }

    void ReportDamage(LoadList known)
    {
        if (known.DamagedLines > damagedLines)
            LogDamage(list.Path, known.DamagedLines);
        damagedLines = known.DamagedLines;
    }

    [LoggerMessage(
        EventId = 521,
        Level = LogLevel.Error,
        Message = "{Pipe} loaded {Inserted} of {Rows} rows of {File}. First error: {Error}. A dead letter says how to load it: "
            + "'dead-letters list'"
    )]
    partial void LogUnloaded(string pipe, long inserted, int rows, string file, string error);

    [LoggerMessage(
        EventId = 522,
        Level = LogLevel.Warning,
        Message = "{Pipe} says that it loaded {Inserted} rows of {File}, which has {Rows}. Compare the table with the object"
    )]
    partial void LogOtherRows(string pipe, long inserted, int rows, string file);

    [LoggerMessage(
        EventId = 523,
        Level = LogLevel.Warning,
        Message = "{Count} uploaded objects were never seen by {Pipe}, the oldest is {File}. Their notification was lost, or the "
            + "pipe is paused. Run 's3-forwarder loads refresh'; it loads no object twice. If it happens again, run 'check' (step s3 "
            + "notification)"
    )]
    partial void LogMissed(int count, string pipe, string file);

    [LoggerMessage(
        EventId = 524,
        Level = LogLevel.Error,
        Message = "The 14 days of history of {Pipe} do not list {Count} uploaded objects, the oldest is {File}. Dead letters say how "
            + "to load them"
    )]
    partial void LogGivenUp(int count, string pipe, string file);

    [LoggerMessage(
        EventId = 525,
        Level = LogLevel.Warning,
        Message = "More than {Most} objects await their load; the {Count} oldest are no longer asked for. 'sql/classic/07_monitoring.sql' "
            + "shows what became of them"
    )]
    partial void LogExcess(int count, int most);

    [LoggerMessage(
        EventId = 526,
        Level = LogLevel.Warning,
        Message = "It is not known whether objects are loaded: {Problem} Retrying at growing intervals; uploads continue"
    )]
    partial void LogProblem(string problem);

    [LoggerMessage(EventId = 527, Level = LogLevel.Information, Message = "{Pipe} answers again whether objects are loaded")]
    partial void LogAnswers(string pipe);

    [LoggerMessage(
        EventId = 528,
        Level = LogLevel.Warning,
        Message = "{Path} has {Lines} damaged lines, after a power cut or on a bad card; their objects are not asked for. Readings are not "
            + "concerned"
    )]
    partial void LogDamage(string path, int lines);
}
