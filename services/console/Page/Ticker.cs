namespace ThermalStreaming.Console;

/// <summary>Once a second looks at everything, notes problems, and renews what the pages show.</summary>
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
                // Nobody looks: the card and the processor rest.
                if (stream.Watchers > 0 || sections.Tick == 0)
                    sections.Replace(SectionWriter.Write(state, problems.All, devices, rate));
            } while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException)
        {
            // The stop.
        }
    }
}
