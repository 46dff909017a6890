namespace ThermalStreaming.SensorAgent;

/// <summary>Looks at the clock every second, so that steps and synchronisation are noticed when no batch is stored for long.</summary>
sealed class ClockWatch(ReadingClock readingClock, TimeProvider clock) : BackgroundService
{
    static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                readingClock.Look();
                await Task.Delay(Interval, clock, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The stop.
        }
    }
}
