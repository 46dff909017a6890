using System.Collections.Concurrent;

namespace ThermalStreaming.Journal;

/// <summary>
/// Since when the device has been unable to read something, by its name. Reading it is tried again for <see cref="Patience"/>; then the
/// bytes that cannot be read are skipped. Thread-safe.
/// </summary>
sealed class UnreadableSince(TimeProvider clock)
{
    /// <summary>How long to retry bytes that the device cannot read before skipping them.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    readonly ConcurrentDictionary<string, long> since = new(StringComparer.Ordinal);

    /// <summary>Whether the device has been unable to read it for long enough.</summary>
    public bool MaySkip(string name) => since.TryGetValue(name, out var at) && clock.GetElapsedTime(at) >= Patience;

    /// <summary>Notes how an attempt to read it ended.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="problem">Null when it could be read. An error other than the device's ends the count too.</param>
    /// <returns>Whether the device fails for the first time since it could be read.</returns>
    public bool Note(string name, Exception? problem)
    {
        if (problem is not null && DiskError.IsMedium(problem))
            return since.TryAdd(name, clock.GetTimestamp());
        since.TryRemove(name, out _);
        return false;
    }
}
