using System.Collections;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>The outboxes that are in use: of each kind that is sampled, and of one that is not sampled any more but still holds something.</summary>
sealed class Outboxes : IReadOnlyList<Outbox>, IDisposable
{
    readonly List<Outbox> all = [];

    public Outboxes(AgentOptions options, Health health, TimeProvider clock, ILogger<Outbox> logger)
    {
        all.Add(new Outbox(ReadingKind.Thermal, options, health, clock, logger));
        if (options.Inverters > 0 || Directory.Exists(options.OutboxDirectory(ReadingKind.Inverter)))
            all.Add(new Outbox(ReadingKind.Inverter, options, health, clock, logger));
    }

    public int Count => all.Count;

    public Outbox this[int index] => all[index];

    public Outbox this[ReadingKind kind] => all.Find(outbox => outbox.Kind == kind) ?? throw new InvalidOperationException($"There is no outbox of kind {kind}.");

    public IEnumerator<Outbox> GetEnumerator() => all.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public void Dispose()
    {
        foreach (var outbox in all)
            outbox.Dispose();
    }
}
