namespace ThermalStreaming.SensorAgent;

/// <summary>Looks at the clock every second, to notice steps and synchronisation even when no batch is stored for a long time.</summary>
sealed class ClockWatch(ReadingClock readingClock, TimeProvider clock) : BackgroundService
{
    static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                readingClock.Update();
                await Task.Delay(Interval, clock, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }
}
