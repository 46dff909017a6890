using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>The journals of slots, in memory, and who owns the slots.</summary>
sealed class FakeJournals : ISlotJournals
{
    readonly Dictionary<string, List<(Payload? Payload, long EndOffset)>> records = [];

    /// <summary>Slots whose process lives.</summary>
    public HashSet<string> Owned { get; } = [];

    /// <summary>What reading any journal fails with; null while it works.</summary>
    public IOException? Failure { get; set; }

    /// <summary>Slots whose journals were made durable, in order.</summary>
    public List<string> Flushed { get; } = [];

    public long EndOf(string slot) => records.TryGetValue(slot, out var all) && all.Count > 0 ? all[^1].EndOffset : 0;

    public void Append(string slot, Payload payload)
    {
        var end = EndOf(slot) + payload.Count;
        if (!records.TryGetValue(slot, out var all))
            records[slot] = all = [];
        all.Add((payload, end));
    }

    /// <summary>Makes the journal of a slot that has stored nothing.</summary>
    public void Create(string slot) => records.TryAdd(slot, []);

    public void Clear() => records.Clear();

    public IReadOnlyList<string> Names() => [.. records.Keys.Order(StringComparer.Ordinal)];

    public string? EpochOf(string slot) =>
        Failure is { } failure ? throw failure
        : records.ContainsKey(slot) ? "epoch"
        : null;

    public IEnumerable<(Payload? Payload, long EndOffset)> Read(string slot, string epoch, long from) =>
        Failure is { } failure ? throw failure : records[slot].Where(record => record.EndOffset > from).ToList();

    public void Flush(string slot) => Flushed.Add(slot);

    public IDisposable? TryHold(string slot) => Owned.Contains(slot) ? null : new MemoryStream();
}
