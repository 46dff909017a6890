using System.Collections.Concurrent;

namespace ThermalStreaming.Hosting;

/// <summary>What each part of a service says of itself. Thread-safe.</summary>
public sealed class Health
{
    readonly ConcurrentDictionary<string, string?> parts = new(StringComparer.Ordinal);

    /// <summary>True when every part that reported is well and at least one has reported.</summary>
    public bool IsReady => !parts.IsEmpty && parts.Values.All(problem => problem is null);

    /// <summary>Parts and their problems at this moment, sorted by name; a null problem means the part is well.</summary>
    // ToArray is atomic; what LINQ makes of the dictionary itself counts first and copies then, and throws when a part came in between.
    public IEnumerable<KeyValuePair<string, string?>> Parts => parts.ToArray().OrderBy(part => part.Key, StringComparer.Ordinal);

    /// <summary>The part works.</summary>
    public void Well(string part) => parts[part] = null;

    /// <summary>The part does not work. <paramref name="problem"/> is one sentence: what, why, what to do.</summary>
    public void Unwell(string part, string problem) => parts[part] = problem;

    /// <summary>The part is gone (a retired slot).</summary>
    public void Forget(string part) => parts.TryRemove(part, out _);
}
