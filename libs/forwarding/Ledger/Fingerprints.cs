namespace ThermalStreaming.Forwarding;

/// <summary>
/// Fingerprints of the first and of the newest stored readings of a stream. They distinguish a device that restarts its counter, from the
/// beginning or from an earlier saved number, from a device that repeats readings. Bounded. Not thread-safe.
/// </summary>
sealed class Fingerprints
{
    const int MaxFirst = 32,
        Newest = 96;

    readonly ulong start;
    ulong highest;
    uint[] first = new uint[1];
    uint[]? newest;

    public Fingerprints(ulong start) => this.start = highest = start;

    /// <summary>Memory that they take in addition to the object's own.</summary>
    public int Bytes => sizeof(uint) * (first.Length + (newest?.Length ?? 0));

    /// <summary>Whether <see cref="Set"/> keeps one of the numbers for as long as the stream is remembered.</summary>
    public bool IsFirst(ulong sequence) => sequence >= start && sequence - start < MaxFirst;

    public void Set(ulong sequence, uint fingerprint)
    {
        if (IsFirst(sequence))
        {
            var index = (int)(sequence - start);
            if (index >= first.Length)
                Array.Resize(ref first, Math.Min(MaxFirst, Math.Max(index + 1, 2 * first.Length)));
            first[index] = fingerprint;
            highest = Math.Max(highest, sequence);
            return;
        }
        if (sequence < start || (sequence < highest && highest - sequence >= Newest))
            return;
        newest ??= new uint[Newest];
        if (sequence > highest)
        {
            for (var skipped = Math.Min(sequence - highest, Newest); skipped > 0; skipped--)
                newest[(sequence - skipped + 1) % Newest] = 0;
            highest = sequence;
        }
        newest[sequence % Newest] = fingerprint;
    }

    /// <summary>Fingerprint of the reading with a number; 0 when it is not known.</summary>
    public uint Of(ulong sequence)
    {
        if (IsFirst(sequence))
            return sequence - start < (ulong)first.Length ? first[sequence - start] : 0;
        return newest is not null && sequence <= highest && sequence >= start && highest - sequence < Newest
            ? newest[sequence % Newest]
            : 0;
    }

    /// <summary>Every known fingerprint, by number.</summary>
    public IEnumerable<(ulong Sequence, uint Fingerprint)> All()
    {
        for (var i = 0; i < first.Length; i++)
        {
            if (first[i] != 0)
                yield return (start + (ulong)i, first[i]);
        }
        for (var back = Math.Min(highest - start, Newest - 1) + 1; newest is not null && back > 0; back--)
        {
            var sequence = highest - back + 1;
            if (!IsFirst(sequence) && newest[sequence % Newest] != 0)
                yield return (sequence, newest[sequence % Newest]);
        }
    }
}
