namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// Loads the files named to insertFiles, in the background and in order. A file that cannot be loaded now is retried without holding up the
/// others. Safe for concurrent use.
/// </summary>
sealed partial class FileRequests(StreamingTables tables, IServiceProvider services, TimeProvider clock, ILogger<FileRequests> logger)
    : BackgroundService
{
    static readonly TimeSpan firstPause = TimeSpan.FromSeconds(1);
    static readonly TimeSpan longestPause = TimeSpan.FromSeconds(30);

    readonly SemaphoreSlim added = new(0);

    /// <summary>Stores requests until their files have been read. They are safe from a power cut when this returns.</summary>
    public void Add(LoadPipe pipe, IReadOnlyCollection<string> paths)
    {
        if (paths.Count == 0)
            return;
        tables.Of(pipe.Table).Request(pipe.FullName, paths);
        added.Release();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Disabled without a bucket.
        if (services.GetService<FileLoader>() is not { } files)
            return;
        var pause = firstPause;
        try
        {
            while (true)
            {
                if (await LoadAsync(files, stoppingToken))
                {
                    pause = firstPause;
                    await added.WaitAsync(stoppingToken);
                    continue;
                }
                await Task.Delay(pause, clock, stoppingToken);
                pause = pause * 2 < longestPause ? pause * 2 : longestPause;
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Requests stay in the databases.
        }
    }

    /// <returns>Whether nothing is left to do.</returns>
    async Task<bool> LoadAsync(FileLoader files, CancellationToken stop)
    {
        var isDone = true;
        foreach (var pipe in tables.Catalog.LoadPipes)
        {
            var store = tables.Of(pipe.Table);
            foreach (var request in store.OpenRequests(pipe.FullName))
            {
                try
                {
                    var receivedAt = DateTimeOffset.FromUnixTimeMilliseconds(request.ReceivedMs);
                    await files.LoadAsync(pipe, pipe.Stage.Prefix + request.Path, receivedAt, stop);
                    store.CloseRequest(request);
                }
                catch (Exception e) when (e is not OperationCanceledException || !stop.IsCancellationRequested)
                {
                    isDone = false;
                    LogPostponed(pipe.Name, request.Path, e.Message);
                }
            }
        }
        return isDone;
    }

    public override void Dispose()
    {
        added.Dispose();
        base.Dispose();
    }

    [LoggerMessage(
        EventId = 750,
        Level = LogLevel.Warning,
        Message = "{Pipe} could not load {Path}, which a client named: {Problem} Retrying."
    )]
    partial void LogPostponed(string pipe, string path, string problem);
}
