namespace ThermalStreaming.Console;

/// <summary>Reads the history at the start and writes it at long intervals, because the card wears out.</summary>
sealed class HistoryKeeper(ConsoleOptions options, HistoryFiles files, TimeProvider clock) : BackgroundService
{
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        files.Read();
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var last = clock.GetUtcNow();
        try
        {
            while (true)
            {
                await Task.Delay(options.HistoryInterval, clock, stoppingToken);
                WriteSince(ref last);
            }
        }
        catch (OperationCanceledException)
        {
            WriteSince(ref last);
        }
    }

    void WriteSince(ref DateTimeOffset last)
    {
        var now = clock.GetUtcNow();
        files.Write(last, now);
        last = now;
    }
}
