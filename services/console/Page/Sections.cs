using System.Buffers;
using System.Text.Json;

namespace ThermalStreaming.Console;

/// <summary>
/// The content of the page in named sections, each a piece of JSON with the number of the tick in which it changed. A page gets all of them
/// at first and then those that changed. Thread-safe.
/// </summary>
sealed class Sections
{
    /// <summary>A page that is this many ticks behind must start again.</summary>
    const long KeptRemovals = 120;

    readonly Lock gate = new();
    readonly Dictionary<string, (long Tick, byte[]? Json)> sections = new(StringComparer.Ordinal);
    TaskCompletionSource next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Number of the last tick.</summary>
    public long Tick { get; private set; }

    /// <summary>Completes with the next tick.</summary>
    public Task Next
    {
        get
        {
            lock (gate)
                return next.Task;
        }
    }

    /// <summary>Replaces all sections. Unchanged ones do not count as changed.</summary>
    public void Replace(IReadOnlyDictionary<string, byte[]> all)
    {
        TaskCompletionSource over;
        lock (gate)
        {
            Tick++;
            foreach (var (name, json) in all)
            {
                if (!sections.TryGetValue(name, out var known) || known.Json is null || !known.Json.AsSpan().SequenceEqual(json))
                    sections[name] = (Tick, json);
            }
            foreach (var (name, section) in sections.ToList())
            {
                if (section.Json is not null && !all.ContainsKey(name))
                    sections[name] = (Tick, null);
                else if (section.Json is null && Tick - section.Tick > KeptRemovals)
                    sections.Remove(name);
            }
            (over, next) = (next, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        over.SetResult();
    }

    /// <summary>Writes an object of the sections that changed after a tick; removed ones are null. After tick 0: all.</summary>
    /// <returns>The tick that the object is up to; null if the given tick is too long ago.</returns>
    public long? Write(long after, IBufferWriter<byte> target)
    {
        lock (gate)
        {
            if (after > 0 && Tick - after > KeptRemovals)
                return null;
            using var json = new Utf8JsonWriter(target);
            json.WriteStartObject();
            foreach (var (name, section) in sections.Where(section => section.Value.Tick > after))
            {
                if (section.Json is not null)
                {
                    json.WritePropertyName(name);
                    json.WriteRawValue(section.Json, skipInputValidation: true);
                }
                else if (after > 0)
                {
                    json.WriteNull(name);
                }
            }
            json.WriteEndObject();
            return Tick;
        }
    }
}
