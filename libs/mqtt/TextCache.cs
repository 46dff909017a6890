namespace ThermalStreaming.Mqtt;

/// <summary>
/// Gives the same string object for equal texts, so that many waiting messages share one topic. Bounded: a text replaces another one with
/// the same place. For one thread.
/// </summary>
sealed class TextCache(int size)
{
    const int LongestKept = 512;
    readonly string?[] entries = new string?[size];

    public string Get(string text)
    {
        // String hashes are seeded per process, so that a sender cannot choose topics that all share one place.
        ref var entry = ref entries[(uint)text.GetHashCode(StringComparison.Ordinal) % (uint)entries.Length];
        if (entry == text)
            return entry;
        if (text.Length <= LongestKept)
            entry = text;
        return text;
    }
}
