using System.Collections.Concurrent;

namespace ThermalStreaming.Hosting;

/// <summary>What each part of a service reports about itself. Thread-safe.</summary>
public sealed class Health
{
    readonly ConcurrentDictionary<string, string?> parts = new(StringComparer.Ordinal);
    readonly ConcurrentDictionary<string, string> notes = new(StringComparer.Ordinal);

    /// <summary>True when every part that reported is well and at least one has reported.</summary>
    public bool IsReady => !parts.IsEmpty && parts.Values.All(problem => problem is null);

    /// <summary>Parts and their problems at this moment, sorted by name; a null problem means the part is well.</summary>
    // ToArray is atomic. LINQ on the dictionary itself counts first and copies then, and throws if a part was added in between.
    public IEnumerable<KeyValuePair<string, string?>> Parts => parts.ToArray().OrderBy(part => part.Key, StringComparer.Ordinal);

    /// <summary>What <c>/readyz</c> adds about a part that is well; null for most.</summary>
    public string? Note(string part) => notes.GetValueOrDefault(part);

    /// <summary>The part works.</summary>
    public void Well(string part)
    {
        notes.TryRemove(part, out _);
        parts[part] = null;
    }

    /// <summary>The part works, but not as well as it could: <paramref name="note"/> says how, and what to do.</summary>
    public void Well(string part, string note)
    {
        notes[part] = note;
        parts[part] = null;
    }

    /// <summary>The part does not work. <paramref name="problem"/> is one sentence: what, why, what to do.</summary>
    public void Unwell(string part, string problem)
    {
        notes.TryRemove(part, out _);
        parts[part] = problem;
    }

    /// <summary>The part is gone (a retired slot).</summary>
    public void Forget(string part)
    {
        notes.TryRemove(part, out _);
        parts.TryRemove(part, out _);
    }
}
