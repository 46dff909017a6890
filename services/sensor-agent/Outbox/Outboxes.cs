using System.Collections;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// The outboxes in use: one of each sampled kind, and of a kind that is no longer sampled if its outbox still holds readings.
/// </summary>
sealed class Outboxes : IReadOnlyList<Outbox>, IDisposable
{
    readonly List<Outbox> all = [];

    public Outboxes(AgentOptions options, ReadingClock readingClock, Health health, TimeProvider clock, ILogger<Outbox> logger)
    {
        DataFormat.Check(options.DataDirectory);
        all.Add(new Outbox(ReadingKind.Thermal, options, readingClock, health, clock, logger));
        if (options.TakesInverters || MayExist(options.OutboxDirectory(ReadingKind.Inverter)))
            all.Add(new Outbox(ReadingKind.Inverter, options, readingClock, health, clock, logger));
    }

    /// <summary>A directory that the disk cannot show now may exist: its outbox waits.</summary>
    static bool MayExist(string directory)
    {
        try
        {
            _ = File.GetAttributes(directory);
            return true;
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            return e is not (FileNotFoundException or DirectoryNotFoundException);
        }
    }

    public int Count => all.Count;

    public Outbox this[int index] => all[index];

    public Outbox this[ReadingKind kind] =>
        all.Find(outbox => outbox.Kind == kind) ?? throw new InvalidOperationException($"There is no outbox of kind {kind}.");

    public IEnumerator<Outbox> GetEnumerator() => all.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public void Dispose()
    {
        foreach (var outbox in all)
            outbox.Dispose();
    }
}
