using ThermalStreaming.Control;

namespace ThermalStreaming.Console;

/// <summary>The current problems, and those of the last 24 hours. Thread-safe.</summary>
sealed class ProblemBook(TimeProvider clock)
{
    const int MostEnded = 30;
    static readonly TimeSpan remembered = TimeSpan.FromDays(1);

    readonly Lock gate = new();
    readonly Dictionary<string, KeptFinding> current = new(StringComparer.Ordinal);
    readonly List<KeptFinding> ended = [];

    /// <summary>Records the current findings; earlier ones that are no longer found have ended.</summary>
    public void Note(IReadOnlyList<Finding> findings)
    {
        var now = clock.GetUtcNow();
        lock (gate)
        {
            var keys = findings.Select(finding => finding.Key).ToHashSet(StringComparer.Ordinal);
            foreach (var over in current.Values.Where(kept => !keys.Contains(kept.Found.Key)).ToList())
            {
                current.Remove(over.Found.Key);
                ended.Insert(0, over with { Until = now });
            }
            foreach (var finding in findings)
            {
                var since = current.TryGetValue(finding.Key, out var known) ? known.Since : now - (finding.Age ?? TimeSpan.Zero);
                current[finding.Key] = new KeptFinding(finding, since, null);
                // A problem that comes and goes is one line.
                if (known is null)
                    ended.RemoveAll(kept => kept.Found.Key == finding.Key);
            }
            ended.RemoveAll(kept => now - kept.Until > remembered);
            if (ended.Count > MostEnded)
                ended.RemoveRange(MostEnded, ended.Count - MostEnded);
        }
    }

    /// <summary>Current problems, urgent and older ones first; then ended ones, the latest first.</summary>
    public IReadOnlyList<KeptFinding> All
    {
        get
        {
            lock (gate)
                return [.. current.Values.OrderByDescending(kept => kept.Found.IsUrgent).ThenBy(kept => kept.Since), .. ended];
        }
    }
}
