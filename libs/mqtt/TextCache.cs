namespace ThermalStreaming.Mqtt;

/// <summary>
/// Gives the same string for the same UTF-8 bytes, so that a message does not allocate its topic. Direct-mapped: a text whose place is taken
/// replaces the one there, which bounds it. For one thread.
/// </summary>
sealed class TextCache(int size, TextCache.Convert convert)
{
    /// <summary>Checks and converts a text that is not in the cache.</summary>
    public delegate string Convert(ReadOnlySpan<byte> utf8);

    const int LongestKept = 512;
    readonly (byte[] Utf8, string Text)[] entries = new (byte[], string)[size];

    public string Get(ReadOnlySpan<byte> utf8)
    {
        // Seeded per process, so that nobody can choose topics that all fall on one place.
        var hash = new HashCode();
        hash.AddBytes(utf8);
        ref var entry = ref entries[(uint)hash.ToHashCode() % (uint)entries.Length];
        if (entry.Utf8 is not null && utf8.SequenceEqual(entry.Utf8))
            return entry.Text;
        var text = convert(utf8);
        if (utf8.Length <= LongestKept)
            entry = (utf8.ToArray(), text);
        return text;
    }
}
