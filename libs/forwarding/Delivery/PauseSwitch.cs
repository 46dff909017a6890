using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// Whether delivery is paused, for all slots of this replica. Follows <see cref="PauseFile"/> within a second: another replica may change
/// it, and it survives restarts. Thread-safe.
/// </summary>
sealed partial class PauseSwitch : BackgroundService
{
    /// <summary>Longest reason, in characters: the file is one block.</summary>
    public const int MostReason = 500;

    static readonly TimeSpan interval = TimeSpan.FromSeconds(1);

    readonly Lock gate = new();
    readonly PauseFile file;
    readonly TimeProvider clock;
    readonly ILogger logger;
    CancellationTokenSource changed = new();
    volatile Pause? pause;
    bool isRefused;

    public PauseSwitch(string directory, TimeProvider clock, ILogger<PauseSwitch> logger)
    {
        (file, this.clock, this.logger) = (new PauseFile(directory), clock, logger);
        // Before the first delivery: a pause survives restarts.
        if (!Look())
            pause = new Pause(clock.GetUtcNow(), "the data directory cannot be read, so it is not known whether delivery is paused");
    }

    /// <summary>Null while delivery is not paused.</summary>
    public Pause? Current => pause;

    /// <summary>Cancelled at the next change.</summary>
    public CancellationToken Changed
    {
        get
        {
            lock (gate)
                return changed.Token;
        }
    }

    /// <summary>Pauses delivery. If it is paused already, time and reason stay.</summary>
    /// <exception cref="IOException">The disk refused; nothing has changed.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public void Pause(string reason)
    {
        lock (gate)
        {
            if (file.Load() is null)
                file.Save(new Pause(clock.GetUtcNow(), reason));
        }
        Look();
    }

    /// <summary>Resumes delivery.</summary>
    /// <returns>False if it was not paused.</returns>
    /// <exception cref="IOException">The disk refused; nothing has changed.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public bool Resume()
    {
        var before = pause;
        lock (gate)
            file.Delete();
        Look();
        return before is not null;
    }

    /// <summary>Completes when delivery is not paused, or when asked to stop.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var wait = Changed;
            if (pause is null)
                return;
            using var either = CancellationTokenSource.CreateLinkedTokenSource(wait, cancellationToken);
            await Task.Delay(Timeout.InfiniteTimeSpan, clock, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public override void Dispose()
    {
        changed.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(interval, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                Look();
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    /// <summary>Reads the file; false when it cannot be read now, so the last known state holds.</summary>
    bool Look()
    {
        CancellationTokenSource told;
        lock (gate)
        {
            Pause? now;
            try
            {
                now = file.Load();
                isRefused = false;
            }
            catch (Exception e) when (DiskError.IsFileProblem(e))
            {
                if (!isRefused)
                    LogRefused(e.Message);
                isRefused = true;
                return false;
            }
            if (now == pause)
                return true;
            pause = now;
            if (now is null)
                LogResumed();
            else
                LogPaused(now.Text);
            (told, changed) = (changed, new CancellationTokenSource());
        }
        // Outside the lock: the waiting code continues on this thread.
        told.Cancel();
        return true;
    }

    [LoggerMessage(EventId = 190, Level = LogLevel.Warning, Message = "Delivery is {Pause}. Resume it with thermalctl or gRPC")]
    partial void LogPaused(string pause);

    [LoggerMessage(EventId = 191, Level = LogLevel.Information, Message = "Delivery is resumed")]
    partial void LogResumed();

    [LoggerMessage(
        EventId = 192,
        Level = LogLevel.Error,
        Message = "The file that pauses delivery cannot be read ({Reason}); delivery stays as it was. Check the data volume"
    )]
    partial void LogRefused(string reason);
}
