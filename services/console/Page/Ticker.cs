namespace ThermalStreaming.Console;

/// <summary>Once a second checks everything, records problems, and updates the content of the pages.</summary>
sealed class Ticker(
    Overview overview,
    ReplicaBook replicas,
    DeviceBook devices,
    ProblemBook problems,
    Sections sections,
    EventStream stream,
    TimeProvider clock
) : BackgroundService
{
    static readonly TimeSpan interval = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(interval, clock);
        try
        {
            do
            {
                replicas.Prune();
                devices.Prune();
                var rate = devices.MeasureRate();
                var state = overview.Look();
                problems.Note(ProblemFinder.Find(state));
                // Nobody is watching: card and processor rest.
                if (stream.Watchers > 0 || sections.Tick == 0)
                    sections.Replace(SectionWriter.Write(state, problems.All, devices, rate));
            } while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }
}
